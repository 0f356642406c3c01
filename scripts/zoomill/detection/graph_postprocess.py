"""TFLite_Detection_PostProcess in a frozen TensorFlow graph."""

from zoomill.detection import head_names
from zoomill.detection.postprocess import OP, Options
from zoomill.errors import UserError
from zoomill.toco.parts import import_part


def append(graph, anchors, options):
    """Append the op, its anchors and its options to a GraphDef that ends at its raw heads.

    Args:
        graph: GraphDef, changed in place.
        anchors: float32 ``[anchors, 4]``: ycenter, xcenter, height, width.
        options: :class:`zoomill.detection.postprocess.Options`.
    """
    float32 = import_part("tensorflow.core.framework.types_pb2").DT_FLOAT
    constant = graph.node.add(name="anchors", op="Const")
    constant.attr["dtype"].type = float32
    tensor = constant.attr["value"].tensor
    tensor.dtype = float32
    for size in anchors.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = anchors.astype("<f4").tobytes()

    node = graph.node.add(name=OP, op=OP)
    node.input.extend([head_names.BOXES, head_names.SCORES, "anchors"])
    for name, value in vars(options).items():
        attribute = node.attr[name]
        if isinstance(value, bool):
            attribute.b = value
        elif isinstance(value, int):
            attribute.i = value
        else:
            attribute.f = value
    # Hints for TOCO, as the original exporter writes them.
    node.attr["_output_quantized"].b = True
    node.attr["_output_types"].list.type.extend([float32] * 4)
    node.attr["_support_output_type_float_in_quantized_op"].b = True


def read_back(data):
    """Return the :class:`~zoomill.detection.postprocess.Options` of a serialised GraphDef.

    Raises:
        UserError: when the graph has no such op.
    """
    graph = import_part("tensorflow.core.framework.graph_pb2").GraphDef.FromString(data)
    for node in graph.node:
        if node.op == OP:
            return Options.from_attributes(node.attr)
    raise UserError(f"the graph has no {OP} op")
