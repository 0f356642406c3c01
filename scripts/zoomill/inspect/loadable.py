"""The part of a SavedModel that TensorFlow may load: checked, and without the graph's own saver.

What `tf.saved_model.load` (2.21) runs out of a SavedModel, besides the signature that it is asked for:

- of one with a tree of objects (TensorFlow 2), functions that create and initialise resources and restore tables. All
  functions of the tree count, and only they stay with those they call. Variables are restored by Python, so the
  functions that save and restore files, which the tree does not have, are left out.
- of any other (TensorFlow 1), the initialiser that collections or a signature name, and the saver's restore operator.
  What these and the signatures need stays. Initialisers of variables are not run, and become NoOp.

Two operators read files there rightly: RestoreV2, of TensorFlow 1, and InitializeTableFromTextFile. They do no harm
when the name of the file can be nothing but what the loader gives: the folder's own variables, or an asset inside the
folder. In a graph the loader feeds both; they become placeholders, so that no signature can run with another name.

The messages may be TensorFlow's own or those of :mod:`zoomill.inspect.graph`.
"""

import collections
import os

from google.protobuf.message import DecodeError

from zoomill.errors import UserError
from zoomill.inspect import allowed_operators, graph_walk, guards
from zoomill.inspect.graph_walk import producer

_VARIABLES = ("variables", "trainable_variables", "model_variables", "local_variables")
_INITIALISERS = ("saved_model_main_op", "legacy_init_op", "table_initializer")
_ASSETS = "saved_model_assets"
_TABLE_FILES = {"InitializeTableFromTextFile": 1, "InitializeTableFromTextFileV2": 1}
_RESTORE = {"RestoreV2": 0}
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_STRING = 7  # DT_STRING in tensorflow/core/framework/types.proto


def cut_down(meta, path, variable_def, alone=True):
    """Cut a meta graph down, in place, to what TensorFlow's loader needs.

    Args:
        meta: MetaGraphDef.
        path: of saved_model.pb, for messages, and because assets lie beside it.
        variable_def: class of the message VariableDef.
        alone: whether the SavedModel has no other; the loader reads the tree of objects only then.

    Returns:
        List of :class:`zoomill.inspect.allowed.Found` in what is left.

    Raises:
        UserError: when an asset is outside the folder, the graph is not sound, or a collection is damaged.
    """
    graph_walk.require_sound(meta.graph_def, path)
    if not meta.asset_file_def:  # where TensorFlow 1 keeps them
        for stored in meta.collection_def[_ASSETS].any_list.value:
            _parse(meta.asset_file_def.add(), stored.value, path)
    for asset in meta.asset_file_def:
        guards.beside(path, os.path.join("assets", asset.filename))
    if alone and meta.HasField("object_graph_def"):
        _cut_objects(meta)
        files = _Origins(meta.graph_def, meta.object_graph_def.concrete_functions)
        fed = files.of(_TABLE_FILES, _bound_assets(meta))
    else:
        meta.ClearField("object_graph_def")
        assets = {producer(asset.tensor_info.name) for asset in meta.asset_file_def}
        saver = {producer(meta.saver_def.filename_tensor_name)}
        _cut_graph(meta, lambda stored: _parse(variable_def(), stored, path), assets | saver)
        files = _Origins(meta.graph_def, ())
        fed = files.of(_TABLE_FILES, {("", name) for name in assets})
        fed |= files.of(_RESTORE, {("", name) for name in saver})
    return allowed_operators.found(meta.graph_def, fed)


def _cut_objects(meta):
    """Leave the functions of the tree of objects, and of the graph the constants, which the tree may read."""
    constants = [node.name for node in meta.graph_def.node if node.op == "Const"]
    allowed_operators.needed(meta.graph_def, constants, sorted(meta.object_graph_def.concrete_functions))


def _bound_assets(meta):
    """Return the arguments of functions that the loader binds to assets, as pairs of function and index."""
    functions = {one.signature.name: one for one in meta.graph_def.library.function}
    objects, found = meta.object_graph_def.nodes, set()
    for name, concrete in meta.object_graph_def.concrete_functions.items():
        if name in functions:
            first = len(functions[name].signature.input_arg) - len(concrete.bound_inputs)
            for index, bound in enumerate(concrete.bound_inputs, first):
                if 0 <= bound < len(objects) and objects[bound].HasField("asset"):
                    found.add((name, index))
    return found


def _parse(message, stored, path):
    """Return the message that a collection has as bytes."""
    try:
        message.ParseFromString(stored)
    except DecodeError as error:
        raise UserError(f"{path}: is damaged: its collections hold no {message.DESCRIPTOR.name}") from error
    return message


def _cut_graph(meta, read_variable, fed):
    """Leave what signatures, initialisers and the saver's restore operator need; ``fed`` become placeholders."""
    for node in meta.graph_def.node:
        if node.name in fed:
            node.op = "Placeholder"
            del node.input[:]
            node.attr.clear()
            node.attr["dtype"].type = _STRING
    needed = [*fed, meta.saver_def.restore_op_name]
    for signature in meta.signature_def.values():
        needed += [
            name for side in (signature.inputs, signature.outputs) for info in side.values() for name in _places(info)
        ]
    for key in set(meta.collection_def) - {*_VARIABLES, *_INITIALISERS}:
        del meta.collection_def[key]
    needed += [name for key in _INITIALISERS for name in meta.collection_def[key].node_list.value]
    unused = set()
    for key in _VARIABLES:
        stored = meta.collection_def[key].bytes_list
        variables = [read_variable(value) for value in stored.value]
        for variable in variables:
            variable.initial_value_name = ""
            needed += [variable.variable_name, variable.snapshot_name]
            (needed.append if key == "local_variables" else unused.add)(variable.initializer_name)
        stored.value[:] = [variable.SerializeToString(deterministic=True) for variable in variables]
    for key in (*_VARIABLES, *_INITIALISERS):
        if not meta.collection_def[key].ByteSize():
            del meta.collection_def[key]
    allowed_operators.needed(meta.graph_def, needed)
    for name in sorted(unused - {node.name for node in meta.graph_def.node} - {""}):
        meta.graph_def.node.add(name=name, op="NoOp")


def _places(info):
    """Return the tensors of a TensorInfo."""
    parts = info.coo_sparse
    places = [info.name, parts.values_tensor_name, parts.indices_tensor_name, parts.dense_shape_tensor_name]
    return [*places, *(one.name for one in info.composite_tensor.components)]


class _Origins:
    """Tells where inputs of nodes come from, through Identity and calls of functions.

    Args:
        graph_def: GraphDef, sound.
        entries: names of functions that are called from outside.
    """

    def __init__(self, graph_def, entries):
        self._entries = entries
        self._bodies = {name: {node.name: node for node in body} for name, body in graph_walk.bodies(graph_def)}
        self._arguments = {
            one.signature.name: [arg.name for arg in one.signature.input_arg] for one in graph_def.library.function
        }
        self._callers = collections.defaultdict(list)
        for body, nodes in self._bodies.items():
            for node in nodes.values():
                for name in set(graph_walk.named_functions(node)) & self._arguments.keys():
                    self._callers[name].append((body, node))

    def of(self, operators, harmless):
        """Return the nodes whose file's name can only be what the loader gives, as pairs of function and node.

        Args:
            operators: ``{operator: index of the input}`` that is a file's name.
            harmless: pairs of a function and the index of its argument, or of "" and a node of the graph.
        """
        return {
            (body, node.name)
            for body, nodes in self._bodies.items()
            for node in nodes.values()
            if node.op in operators
            and len(node.input) > operators[node.op]
            and self._ends(body, node.input[operators[node.op]]) <= harmless
        }

    def _ends(self, body, source):
        """Return where a tensor comes from: pairs of a function and an argument's index or a node."""

        def before(place):
            body, source = place
            name = producer(source)
            arguments = self._arguments.get(body, [])
            if name in arguments:
                index = arguments.index(name)
                if body in self._entries or not self._callers[body]:
                    ends.add((body, index))
                for caller, node in self._callers[body]:
                    direct = node.op == body or node.op in _CALLS
                    if direct and index < len(node.input):
                        yield caller, node.input[index]
                    else:
                        ends.add((caller, node.name))
            elif self._bodies[body][name].op == "Identity":
                yield body, self._bodies[body][name].input[0]
            else:
                ends.add((body, name))

        ends = set()
        graph_walk.closure([(body, source)], before)
        return ends
