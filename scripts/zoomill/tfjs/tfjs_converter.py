"""TensorFlow.js's converter, called in this process without the packages that it imports and we do not need."""

import contextlib
import json
import os
import sys
import types

from zoomill.errors import UserError
from zoomill.graph import exact_constants
from zoomill.tfjs import tfjs_einsum

# Those whose JavaScript, web/operators.js, is delivered with a model that has them.
OWN_OPERATORS = ("CombinedNonMaxSuppression",)
# Loops and branches as control flow v2 writes them.
_FUNCTIONAL = {"While", "StatelessWhile", "If", "StatelessIf"}


def load():
    """Import tensorflowjs.converters.converter and return it.

    It imports TensorFlow Decision Forests to have its operators, and JAX for a conversion that is never asked for.
    Where they are not installed, empty modules stand for them.
    """
    _tensorflow()
    forests = types.ModuleType("tensorflow_decision_forests")
    jax = types.ModuleType("tensorflowjs.converters.jax_conversion")
    jax.convert_jax = None
    for module in (forests, jax):
        sys.modules.setdefault(module.__name__, module)
    from tensorflowjs.converters import converter

    return converter


def _tensorflow():
    # With oneDNN, it fuses what TensorFlow.js has no operator for (_FusedBatchNormEx).
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    import tensorflow

    return tensorflow


def arguments(options, quantise=None):
    """Return the converter's flags for options of a card.

    Its flags of type bool take any text for true, "False" too, and two of them are on without being asked for.

    Args:
        options: ``shard_bytes`` and ``strip_debug_ops``.
        quantise: ``{dtype: [pattern, …]}``.
    """
    flags = [f"--weight_shard_size_bytes={options['shard_bytes']}"]
    if not options["strip_debug_ops"]:
        flags.append("--strip_debug_ops=")
    return flags + [f"--quantize_{dtype}={','.join(patterns)}" for dtype, patterns in (quantise or {}).items()]


def convert(*flags):
    """Call the converter with a list of flags, input and output path last.

    Raises:
        UserError: with its reason.
    """
    converter = load()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            converter.convert(list(map(str, flags)))
    except Exception as error:  # the converter raises its own, undocumented kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"cannot be converted: {reason[:300]}") from error


def convert_graph(path, outputs, options, folder, quantise=None):
    """Convert a frozen graph to a graph model.

    Args:
        path: graph.pb.
        outputs: names of its output nodes.
        options: as for :func:`arguments`.
        folder: where to write model.json and shards.
        quantise: as for :func:`arguments`.
    """
    flags = ["--input_format=tf_frozen_model", f"--output_node_names={','.join(outputs)}", "--skip_op_check"]
    convert(*flags, *arguments(options, quantise), path, folder)


def has_control_flow(path):
    """Tell whether a frozen graph has loops or branches that can be written in both ways."""
    definition = _read(path)
    bodies = [definition.node, *(function.node_def for function in definition.library.function)]
    return any(node.op in _FUNCTIONAL for body in bodies for node in body)


def lower_control_flow(path, contract, output):
    """Write a frozen graph with its loops and branches taken apart: Switch, Merge, Enter, Exit instead of While, If.

    Args:
        path: graph.pb.
        contract: its contract.
        output: path of the new graph.pb, with inputs and outputs of the same names.
    """
    tf = _tensorflow()
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    definition = _read(path)
    for body in (definition.node, *(function.node_def for function in definition.library.function)):
        for node in body:
            if node.op in _FUNCTIONAL:
                node.attr["_lower_using_switch_merge"].b = True
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    ends = [[wrapped.graph.as_graph_element(p["tensor"] + ":0") for p in contract[s]] for s in ("inputs", "outputs")]
    frozen = convert_variables_to_constants_v2(wrapped.prune(*ends), lower_control_flow=True, aggressive_inlining=True)
    with open(output, "wb") as file:
        file.write(frozen.graph.as_graph_def().SerializeToString(deterministic=True))


def write_plain(path, output):
    """Write a frozen graph without Einsum and without what TensorFlow would fold by the processor's approximations."""
    graph = exact_constants.fold_approximated(_tensorflow(), _read(path))
    if any(node.op == "Einsum" for node in graph.node):
        graph = tfjs_einsum.without_einsum(graph)
    with open(output, "wb") as file:
        file.write(graph.SerializeToString(deterministic=True))


def _read(path):
    definition = _tensorflow().compat.v1.GraphDef()
    with open(path, "rb") as file:
        definition.ParseFromString(file.read())
    return definition


def check_operators(nodes, allowed):
    """Refuse operators that TensorFlow.js lacks.

    Args:
        nodes: nodes of a converted model.
        allowed: operators whose JavaScript is delivered with the model.

    Raises:
        UserError: naming operator and node.
    """
    from tensorflowjs import resource_loader

    known = {"Assert", "CheckNumerics", "Print", *allowed}
    for name in resource_loader.list_dir("op_list"):
        if name.endswith(".json"):
            with resource_loader.open_file(os.path.join("op_list", name)) as file:
                known.update(entry["tfOpName"] for entry in json.load(file))
    for node in nodes:
        if node["op"] not in known:
            hint = " (the card may ask for ours with `tfjs: skip_op_check`)" if node["op"] in OWN_OPERATORS else ""
            raise UserError(f"TensorFlow.js lacks the operator {node['op']} of the node {node['name']}{hint}")
