"""OpenVINO's intermediate representation (IR), a folder with model.xml and model.bin: making and running it."""

import os
import re
from pathlib import Path

import numpy as np

from zoomill.errors import UserError
from zoomill.inspect.openvino import read

_XML = "model.xml"
# What OpenVINO calls a node that has no name in the graph; the number counts all nodes the process ever made.
_COUNTED = re.compile(r"[A-Za-z]+_\d+")


def convert(graph, contract, folder):
    """Write the IR of a frozen graph; its bytes depend on nothing but the graph and the contract.

    The frontend is called without ``openvino.convert_model``, which reports its use to others and writes its own
    parameters into the file. Weights stay as they are.

    Args:
        graph: path of graph.pb.
        contract: contract of the graph; gives order, names and shapes of the inputs and outputs.
        folder: existing folder to write to.

    Raises:
        UserError: when OpenVINO lacks an operator or cannot load the IR, or the interface is not that of the contract.
    """
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.passes import ConstantFolding, Manager

    frontend = FrontEndManager().load_by_framework("tf")
    try:
        found = frontend.convert(frontend.load(graph))
    except Exception as error:  # the frontend raises its own, undocumented kinds
        raise UserError(f"cannot be converted: {_reason(error)}") from error
    inputs = [_port(found.inputs, promise) for promise in contract["inputs"]]
    outputs = [_port(found.outputs, promise) for promise in contract["outputs"]]
    results, parameters = ([port.get_node() for port in side] for side in (outputs, inputs))
    model = openvino.Model(results, parameters, contract["model"])
    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(model)
    _name(model, contract)
    if problems := _problems(model, contract):
        raise UserError("; ".join(problems))
    openvino.serialize(model, os.path.join(folder, _XML))
    try:
        Artifact(folder)
    except RuntimeError as error:
        raise UserError(f"OpenVINO's CPU plugin cannot load the IR: {_reason(error)}") from error


def _reason(error):
    """Return the line of OpenVINO's long messages that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line.lstrip("- ") for line in lines if "No conversion rule" in line or line[0] == "["), lines[-1])


def _port(ports, promise):
    """Return the input or output of the contract's tensor."""
    wanted = f"{promise['tensor']}:0"
    for port in ports:
        if port.get_node().get_friendly_name() == wanted:
            return port
    raise UserError(f"OpenVINO leaves out {promise['name']}, as it does constant outputs and inputs that nobody reads")


def _name(model, contract):
    """Give inputs and outputs the contract's names, and nodes that have none a name of their own."""
    for index, node in enumerate(model.get_ordered_ops()):
        if _COUNTED.fullmatch(node.get_friendly_name()):
            node.set_friendly_name(f"{node.get_type_name()}_{index}")
    for tensor in (port.get_tensor() for port in (*model.inputs, *(r.input_value(0) for r in model.get_results()))):
        tensor.set_names(set())
    promises = (*contract["inputs"], *contract["outputs"])
    for port, promise in zip((*model.inputs, *model.outputs), promises, strict=True):
        # Added, not set: two outputs may be one tensor.
        port.get_tensor().add_names({promise["name"]})
        port.get_node().set_friendly_name(promise["name"])


def _problems(model, contract):
    """Return one phrase for every input or output that is not as the contract says."""
    problems = []
    for ports, promises in ((model.inputs, contract["inputs"]), (model.outputs, contract["outputs"])):
        for port, promise in zip(ports, promises, strict=True):
            dtype = np.dtype(port.get_element_type().to_dtype()).name
            shape = [-1 if size.is_dynamic else size.get_length() for size in port.get_partial_shape()]
            if dtype != promise["dtype"] or (shape != promise["shape"] and -1 not in promise["shape"]):
                problems.append(
                    f"{promise['name']} is {dtype} {shape}, the contract says {promise['dtype']} {promise['shape']}"
                )
    return problems


def describe(folder):
    """Return version, operators, and name, dtype and shape of the inputs and outputs, as JSON values."""
    found = read(Path(folder, _XML))
    (graph,) = found["graphs"]
    (signature,) = graph["signatures"]
    ends = {
        side: [{key: entry[key] for key in ("name", "dtype", "shape")} for entry in signature[side]]
        for side in ("inputs", "outputs")
    }
    return {"converter": f"OpenVINO IR {found['producer']['ir']}", "operators": graph["operators"], **ends}


class Artifact:
    """An IR, run by OpenVINO's CPU plugin on one thread in float32; by itself it would take bfloat16 where it can."""

    def __init__(self, folder):
        import openvino

        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": "1"}
        self._model = openvino.Core().compile_model(os.path.join(folder, _XML), "CPU", settings)

    def __call__(self, contract, feed):
        """Run the artifact once; arguments and result as those of :class:`zoomill.tflite.runtime.Artifact`."""
        # By position: the plugin forgets the name of an input that is an output too.
        found = self._model([feed[entry["tensor"]].reshape(entry["shape"]) for entry in contract["inputs"]])
        return {entry["name"]: found[index] for index, entry in enumerate(contract["outputs"])}
