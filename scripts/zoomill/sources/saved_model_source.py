"""SavedModels and TF-Hub modules of TensorFlow 1 and 2: one signature of them as a function."""

import contextlib
import os
import tempfile
from pathlib import Path

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.graph.source import Source
from zoomill.inspect import allowed, loadable
from zoomill.sources import freezing

# Names the module's own call where a signature is asked for: many TF-Hub modules of TensorFlow 2 have nothing else.
CALL = "__call__"


def load(folder, options, expected):
    """Return a signature as a :class:`~zoomill.graph.source.Source`: see :mod:`zoomill.sources.exporter`."""
    path = os.path.normpath(os.path.join(folder, options["path"]))
    function = read(path, options["tags"], options["signature"], options.get("allow", ()))
    graph, inputs, outputs = freezing.freeze(function, path)
    return Source(graph, inputs, outputs, runner(function, inputs, path))


def read(path, tags, signature, allow):
    """Load one signature of a SavedModel or TF-Hub module.

    Args:
        path: folder with saved_model.pb; a TF-Hub module of version 1 has a tfhub_module.pb beside it.
        tags: list of tags of the wanted graph; empty for the untagged one.
        signature: key of the signature, or :data:`CALL`.
        allow: names of operators that the card allows.

    Returns:
        A concrete function from keyword inputs to a dict of named outputs.

    Raises:
        UserError: when the folder is no SavedModel or has no such tags or signature; the message lists those it has.
            When it holds operators that do more than compute.
    """
    import tensorflow as tf

    with checked_copy(path, tags, allow) as copy, refusing(f"{path}: cannot be loaded as a SavedModel"):
        loaded = tf.saved_model.load(copy, tags=tags)
    there = sorted(loaded.signatures) + [CALL] * callable(loaded)
    if signature not in there:
        raise UserError(f"{path}: has no signature {signature}; there are: {', '.join(there) or 'none'}")
    with refusing(f"{path}: its signature {signature} cannot be traced"):
        function = _call(loaded, path) if signature == CALL else loaded.signatures[signature]
    function._zoomill_owner = loaded  # the function alone does not keep its variables alive
    return function


@contextlib.contextmanager
def checked_copy(path, tags, allow):
    """Yield a folder from which TensorFlow may load one graph of a SavedModel, checked; it is gone afterwards.

    Everything but the graphs is linked, not copied. See :mod:`zoomill.inspect.loadable` for what is left out.

    Args:
        path: folder with saved_model.pb.
        tags: list of tags of the wanted graph.
        allow: names of operators that the card allows.

    Raises:
        UserError: when the folder is no SavedModel, has no such tags, or holds operators that do more than compute.
    """
    from tensorflow.core.framework.variable_pb2 import VariableDef
    from tensorflow.python.saved_model.loader_impl import parse_saved_model

    with refusing(f"{path}: cannot be loaded as a SavedModel"):
        saved = parse_saved_model(path)
    found = [sorted(graph.meta_info_def.tags) for graph in saved.meta_graphs]
    if sorted(tags) not in found:
        there = ", ".join(map(_listed, found))
        raise UserError(f"{path}: has no graph with the tags {_listed(tags)}; there are: {there}")
    meta, file = saved.meta_graphs[found.index(sorted(tags))], os.path.join(path, "saved_model.pb")
    present = loadable.cut_down(meta, file, VariableDef, alone=len(found) == 1)
    allowed.require(path, present, allow)
    copy = type(saved)(saved_model_schema_version=saved.saved_model_schema_version, meta_graphs=[meta])
    with tempfile.TemporaryDirectory() as folder:
        for entry in Path(path).resolve().iterdir():
            if not entry.name.startswith("saved_model."):
                Path(folder, entry.name).symlink_to(entry)
        Path(folder, "saved_model.pb").write_bytes(copy.SerializeToString(deterministic=True))
        yield folder


def _listed(tags):
    return f"[{', '.join(tags)}]"


def _call(loaded, path):
    """Return the call of a module as a concrete function, like a signature.

    A module that can be trained was traced with ``training`` on and off; the trace with all options off counts.
    """
    import tensorflow as tf

    traces = [function.structured_input_signature for function in loaded.__call__.concrete_functions]
    traces = [trace for trace in traces if not any(leaf is True for leaf in tf.nest.flatten(trace))]
    if len(traces) != 1:
        raise UserError(f"{path}: {CALL} takes {len(traces)} sets of inputs, not one; only a signature can be exported")

    def call(**feed):
        args, kwargs = tf.nest.map_structure(lambda leaf: feed[leaf.name] if _is_spec(leaf) else leaf, traces[0])
        result = loaded(*args, **kwargs)
        if isinstance(result, dict):
            return result
        values = tf.nest.flatten(result)
        return {"output": values[0]} if len(values) == 1 else {f"output_{i}": v for i, v in enumerate(values)}

    specs = {leaf.name: leaf for leaf in tf.nest.flatten(traces[0]) if _is_spec(leaf)}
    return tf.function(call).get_concrete_function(**specs)


def _is_spec(leaf):
    import tensorflow as tf

    return isinstance(leaf, tf.TensorSpec)


def runner(function, inputs, path):
    """Return a function that runs what :func:`read` returned on ``{input name: array}``; ``path`` is for messages."""
    import tensorflow as tf

    names = [tensor.name for tensor in inputs]

    def run(feed):
        with refusing(f"{path}: TensorFlow cannot run the source"):
            outputs = function(**{name: tf.constant(feed[name]) for name in names})
            return {name: outputs[name].numpy() for name in sorted(outputs)}

    return run
