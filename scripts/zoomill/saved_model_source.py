"""SavedModels and TF-Hub modules of TensorFlow 1 and 2: one signature of them as a function."""

from zoomill.errors import UserError

# Names the module's own call where a signature is asked for: many TF-Hub modules of TensorFlow 2 have nothing else.
CALL = "__call__"


def load(path, tags, signature):
    """Load one signature of a SavedModel or TF-Hub module.

    Args:
        path: folder with saved_model.pb; a TF-Hub module of version 1 has a tfhub_module.pb beside it.
        tags: list of tags of the wanted graph; empty for the untagged one.
        signature: key of the signature, or :data:`CALL`.

    Returns:
        A concrete function from keyword inputs to a dict of named outputs.

    Raises:
        UserError: when the folder is no SavedModel or has no such tags or signature; the message lists those it has.
    """
    import tensorflow as tf
    from tensorflow.python.saved_model.loader_impl import parse_saved_model

    try:
        found = [sorted(graph.meta_info_def.tags) for graph in parse_saved_model(path).meta_graphs]
        if sorted(tags) not in found:
            there = ", ".join(map(_listed, found))
            raise UserError(f"{path}: has no graph with the tags {_listed(tags)}; there are: {there}")
        loaded = tf.saved_model.load(path, tags=tags)
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: cannot be loaded as a SavedModel: {reason}") from error
    there = sorted(loaded.signatures) + [CALL] * callable(loaded)
    if signature not in there:
        raise UserError(f"{path}: has no signature {signature}; there are: {', '.join(there) or 'none'}")
    function = _call(loaded, path) if signature == CALL else loaded.signatures[signature]
    function._zoomill_owner = loaded  # the function alone does not keep its variables alive
    return function


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


def runner(function, inputs):
    """Return a function that runs what :func:`load` returned on ``{input name: array}``."""
    import tensorflow as tf

    names = [tensor.name for tensor in inputs]

    def run(feed):
        outputs = function(**{name: tf.constant(feed[name]) for name in names})
        return {name: value.numpy() for name, value in outputs.items()}

    return run
