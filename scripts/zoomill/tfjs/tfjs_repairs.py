"""What TensorFlow.js's converter leaves undone in a graph model, done on model.json."""

import base64

from zoomill.errors import UserError
from zoomill.inspect.graph_walk import producer
from zoomill.tfjs import tfjs_model


def repair(document, contract, control_flow):
    """Change a converted model in place so that it loads, runs, and has the contract's names.

    Args:
        document: content of model.json.
        contract: contract of its graph.
        control_flow: which way loops and branches are written, or None without any; goes into the metadata.

    Raises:
        UserError: when an input or output of the contract is no node of the model.
    """
    drop_internal_attributes(document)
    run_ensure_shape(document)
    compare_with_zero(document)
    add_other_biases(document)
    name_ends(document, contract)
    if control_flow:
        document["userDefinedMetadata"]["controlFlow"] = control_flow


def drop_internal_attributes(document):
    """Drop the attributes that TensorFlow keeps notes in, such as ``_has_manual_control_dependencies``.

    No operator reads them, and whether its optimiser leaves that one behind differs between two runs on one graph.
    """
    for node in tfjs_model.nodes(document):
        for name in [name for name in node.get("attr", {}) if name.startswith("_")]:
            del node["attr"][name]


def run_ensure_shape(document):
    """Make EnsureShape an Identity: TensorFlow.js reads its shape from an input that TensorFlow does not write.

    github.com/tensorflow/tfjs/issues/7690
    """
    for node in tfjs_model.nodes(document):
        if node["op"] == "EnsureShape":
            node["op"] = "Identity"
            node["attr"].pop("shape", None)


def compare_with_zero(document):
    """Make a Cast of floats to bool a comparison with zero: on wasm, TensorFlow.js 4.22 cuts 0.9 to 0, which is False.

    The Object Detection API asks so for boxes with an area; without this, its NMS keeps none of less than the picture.
    """
    for body in tfjs_model.bodies(document):
        for node in list(body):
            ends = [node.get("attr", {}).get(key, {}).get("type") for key in ("SrcT", "DstT")]
            if node["op"] == "Cast" and ends == ["DT_FLOAT", "DT_BOOL"]:
                value, zeros = node["input"][0], f"{node['name']}/zeros"
                attributes = {"T": {"type": "DT_FLOAT"}}
                body.append({"name": zeros, "op": "ZerosLike", "input": [value], "attr": attributes})
                node.update(op="NotEqual", input=[value, zeros, *node["input"][1:]], attr=dict(attributes))


def add_other_biases(document):
    """Take what is fused to a product of matrices apart where the bias is no constant vector.

    The converter takes any sum with a product for one with a bias, that of two products too, as an LSTM has. On wasm,
    TensorFlow.js 4.22 adds vectors only.
    """
    for body in tfjs_model.bodies(document):
        there = {node["name"]: node for node in body}
        for node in list(body):
            if node["op"] == "_FusedMatMul" and _fused(node)[:1] == ["BiasAdd"] and not _is_vector(node, there):
                body.extend(_taken_apart(node))


def _fused(node):
    return [base64.b64decode(text).decode() for text in node["attr"]["fused_ops"]["list"]["s"]]


def _is_vector(node, there):
    """Return whether a fused bias is a constant vector, also one that goes through a loop."""
    bias = there.get(producer(node["input"][2]))
    while bias and bias["op"] in ("Identity", "Enter", "Switch"):
        bias = there.get(producer(bias["input"][0]))
    return (
        bool(bias) and bias["op"] == "Const" and len(bias["attr"]["value"]["tensor"]["tensorShape"].get("dim", [])) == 1
    )


def _taken_apart(node):
    """Make a fused node the last of those that it stands for, and return the others."""
    (_, *activations), (a, b, bias, *more) = _fused(node), node["input"]
    old, kind = node["attr"], {"T": node["attr"]["T"]}
    product = {key: old[key] for key in ("T", "transpose_a", "transpose_b")}
    nodes = [
        {"name": f"{node['name']}/product", "op": "MatMul", "input": [a, b], "attr": product},
        {"name": f"{node['name']}/sum", "op": "AddV2", "input": [f"{node['name']}/product", bias], "attr": kind},
    ]
    for op in activations:
        slope = {"alpha": old["leakyrelu_alpha"]} if op == "LeakyRelu" else {}
        inputs = [nodes[-1]["name"], *more[: op == "Prelu"]]
        nodes.append({"name": f"{node['name']}/{op}", "op": op, "input": inputs, "attr": kind | slope})
    last = nodes.pop()
    node.update(op=last["op"], input=last["input"], attr=last["attr"])
    return nodes


def name_ends(document, contract):
    """Write the signature: the converter names few outputs of a SavedModel, and neither inputs nor shapes of a graph.

    ``predict`` goes through the outputs in the order of the file, which is sorted, and takes its names from
    ``structuredOutputKeys`` in turn; so these are sorted too.
    """
    there = {node["name"]: node["op"] for node in document["modelTopology"]["node"]}
    for promise in (*contract["inputs"], *contract["outputs"]):
        if promise["tensor"] not in there:
            raise UserError(f"the converter leaves out {promise['name']}, as it does inputs that nobody reads")
    signature = {
        side: {promise["name"]: _tensor(promise) for promise in contract[side]} for side in ("inputs", "outputs")
    }
    document["signature"] = signature
    document["userDefinedMetadata"] = {"structuredOutputKeys": sorted(signature["outputs"])}


def _tensor(promise):
    sizes = [{"size": str(size)} for size in promise["shape"]]
    return {
        "name": f"{promise['tensor']}:0",
        "dtype": tfjs_model.DTYPES[promise["dtype"]],
        "tensorShape": {"dim": sizes} if sizes else {},
    }
