"""OpenVINO IR files: model.xml, beside it model.bin with the constants."""

import collections
from xml.etree import ElementTree

from zoomill.errors import UserError
from zoomill.inspect import guards, report

NO_WAY_BACK = (
    "an OpenVINO IR is no source: its operators have no TensorFlow form that any supported tool knows; "
    "use the model that it was made from"
)
_CONTROL_FLOW = {"If", "Loop", "TensorIterator"}
# They are values and ends of the graph, not operators.
_ENDS = {"Const", "Parameter", "Result"}
_DTYPES = {"f": "float", "fp": "float", "bf": "bfloat", "i": "int", "u": "uint", "boolean": "bool"}


def read(path):
    """Report an IR; the layers of bodies of loops and branches count.

    Raises:
        UserError: when it is no IR.
        ParseError, KeyError, ValueError: when it is damaged, or its constants lie outside model.bin.
    """
    data = guards.read(path, guards.TEXT_LIMIT)
    net = ElementTree.fromstring(data, ElementTree.XMLParser(target=_Builder()))
    if net.tag != "net" or net.find("layers") is None:
        raise UserError(f"{path}: is no OpenVINO IR, the only kind of .xml that is known")
    layers = list(net.iter("layer"))
    operators = collections.Counter(layer.get("type") for layer in layers if layer.get("type") not in _ENDS)
    custom = {layer.get("type") for layer in layers if not layer.get("version", "opset").startswith("opset")}
    weights = path.with_suffix(".bin")
    graph = report.graph([_signature(net)], operators, _CONTROL_FLOW, custom.__contains__, _parameters(layers, weights))
    version = net.find("rt_info/info[@name='OpenVINO Runtime']")
    producer = {"ir": net.get("version"), "openvino": None if version is None else version.get("value")}
    return report.report("openvino", producer, [graph], notes=[*guards.missing([weights]), NO_WAY_BACK])


class _Builder(ElementTree.TreeBuilder):
    """Builds a tree without a document type: an IR has none, and its entities could grow without end."""

    def doctype(self, *_):
        raise ValueError("it declares a document type")


def _signature(net):
    """Return the inputs and outputs, which are layers of the outermost graph."""
    layers = {layer.get("id"): layer for layer in net.find("layers")}
    sources = {edge.get("to-layer"): edge for edge in net.find("edges")}

    def side(kind):
        for number, layer in layers.items():
            if layer.get("type") == kind:
                port = layer.find("output/port")
                if kind == "Result":
                    edge = sources[number]
                    ports = layers[edge.get("from-layer")].findall("output/port")
                    port = next(found for found in ports if found.get("id") == edge.get("from-port"))
                yield _tensor(layer, port)

    return report.signature(None, list(side("Parameter")), list(side("Result")))


def _tensor(layer, port):
    name = layer.get("name")
    names = (layer.get("output_names") or port.get("names") or name).split(",")
    shape = [int(size.text) for size in port.findall("dim")]
    return report.tensor(name if name in names else names[0], name, _dtype(port.get("precision").lower()), shape)


def _parameters(layers, weights):
    parameters = report.Parameters()
    stored = weights.stat().st_size if weights.is_file() else None
    for layer in layers:
        if layer.get("type") == "Const":
            data = layer.find("data")
            start, size = int(data.get("offset")), int(data.get("size"))
            if stored is not None and not 0 <= start <= start + size <= stored:
                raise ValueError(f"the constant {layer.get('name')} lies outside {weights.name}")
            shape = [int(number) for number in data.get("shape").split(",") if number.strip()]
            parameters.add(_dtype(data.get("element_type")), shape, size)
    return parameters


def _dtype(name):
    """Return NumPy's name of an element type: ``f32``, in the precision of a port ``fp32``."""
    letters = name.rstrip("0123456789")
    bits = name[len(letters) :]
    return _DTYPES.get(letters, letters) + bits
