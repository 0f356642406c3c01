"""What a Keras model may contain: its configuration walked as data, and all that it names held against closed lists.

A configuration builds objects of `{class_name, config}`, and finds functions by name, at any depth: as a layer, inside
a wrapper, as an initializer, among the arguments of a call.
"""

import re

from zoomill.inspect import keras_names as names
from zoomill.inspect import tensorflow_ops
from zoomill.inspect.allowed import RUNS_CODE, TOUCHES_FILES, UNKNOWN, Found
from zoomill.inspect.graph import MESSAGES

# A module that a configuration names is imported.
_MODULE = re.compile(
    r"tensorflow\.python\.ops\.init_ops(_v2)?"
    r"|(tf_)?keras(\.src)?(\.(activations|applications|constraints|dtype_policies|engine|initializers|layers|metrics"
    r"|mixed_precision|models|ops|regularizers)(\.\w+)*)?"
)
_PURPOSE = {
    "Lambda": RUNS_CODE,
    "FlaxLayer": RUNS_CODE,
    "JaxLayer": RUNS_CODE,
    "TorchModuleWrapper": RUNS_CODE,
    "TFSMLayer": TOUCHES_FILES,
}
# Of functions of TensorFlow that are not allowed, how those begin or end whose harm is known.
_FUNCTION_PURPOSE = (
    (re.compile(r"(data|debugging|io|profiler|saved_model|summary|train)\.|.*(read|write)_file|.*save"), TOUCHES_FILES),
    (re.compile(r".*(load_\w*library|py_func\w*|numpy_function)"), RUNS_CODE),
)
_BUILT_IN = names.CLASSES | names.CALLERS
# Keys whose text is the name of a function or class.
_NAMING = re.compile(r"(.*_)?(activation|constraint|initializer|regularizer)")


def found(config):
    """Return what a configuration has besides the layers of a network, as :class:`~.allowed.Found` entries.

    Args:
        config: JSON value: of a model, or a list of several.
    """
    result, waiting = [], [(config, "it")]
    while waiting:
        value, place = waiting.pop()
        if isinstance(value, list):
            waiting += [(item, place) for item in reversed(value)]
            continue
        if not isinstance(value, dict):
            continue
        judged = value.get("class_name", value.get("className"))
        if judged is not None:
            place = _place(value) or place
            result += _judged(value, judged, place)
            if judged == "Lambda":  # all that is in it belongs to its code
                continue
        result += _named(value, place)
        waiting += [(item, place) for item in reversed(value.values())]
    return result


def _place(value):
    settings = value.get("config")
    name = (settings.get("name") if isinstance(settings, dict) else None) or value.get("name")
    return f"the layer {name}" if name else None


def _judged(value, kind, place):
    """Return what is wrong with an object, as a list of none or one."""
    settings = value.get("config")
    module, registered = value.get("module"), value.get("registered_name")
    if not isinstance(kind, str):
        return [Found(UNKNOWN, str(kind), place)]
    if kind == "__lambda__":
        return [Found(RUNS_CODE, "Lambda", place)]
    if kind == "function":
        if _is_known(settings, names.FUNCTIONS) and _is_own(module, registered, settings):
            return []
        return [Found(UNKNOWN, str(settings), place)]
    if _is_known(kind, _BUILT_IN) and not _is_own(module, registered, kind):
        return [Found(UNKNOWN, str(registered or f"{module}.{kind}"), place)]
    if kind in names.CALLERS:
        return _called(kind, settings if isinstance(settings, dict) else {}, place)
    if not _is_known(kind, names.CLASSES):
        return [Found(_PURPOSE.get(kind, UNKNOWN), kind, place)]
    if kind in names.LOOKUPS and isinstance(settings, dict) and isinstance(settings.get("vocabulary"), str):
        return [Found(TOUCHES_FILES, kind, place)]
    return []


def _is_known(name, known):
    # tf.keras of 1.13 to 2.2 called some layers BatchNormalizationV1, LSTMV2 and so on.
    return isinstance(name, str) and (name in known or name.removesuffix("V1").removesuffix("V2") in known)


def _is_own(module, registered, name):
    """Tell whether an object is one of Keras's own, as far as its module and its registered name say."""
    own = module in (None, "", "builtins") or (isinstance(module, str) and _MODULE.fullmatch(module))
    return bool(own) and registered in (None, name)


def _called(kind, settings, place):
    """Return what a layer calls that is not known to be harmless, as a list of none or one."""
    if kind == "TensorFlowOpLayer":
        name = _operator(settings.get("node_def"))
        does = tensorflow_ops.does(name)
        return [Found(does, str(name), place)] if does else []
    if kind in ("InstanceMethod", "InstanceProperty"):
        name, known = settings.get("attr_name"), names.ATTRIBUTES
    elif kind == "ClassMethod":
        name, known = f"{settings.get('cls_symbol')}.{settings.get('method_name')}", ()
    else:
        name, known = settings.get("function"), names.TENSORFLOW
    short = re.sub(r"^compat\.v[12]\.", "", name) if isinstance(name, str) else None
    if short in known:
        return []
    does = next((does for pattern, does in _FUNCTION_PURPOSE if short and pattern.match(short)), UNKNOWN)
    return [Found(does, str(name), place)]


def _operator(node):
    """Return the operator of a TensorFlowOpLayer's node, a mapping or a serialised NodeDef; None where it has none."""
    if isinstance(node, dict):
        return node.get("op")
    try:
        return MESSAGES["NodeDef"].FromString(node.encode()).op
    except Exception:  # whatever makes no sense has no operator
        return None


def _named(value, place):
    """Return functions and classes that a configuration names as text and that are not known."""
    return [
        Found(UNKNOWN, item, place)
        for key, item in value.items()
        if isinstance(item, str) and _NAMING.fullmatch(key) and not _is_function(item)
    ]


def _is_function(name):
    return name in names.FUNCTIONS or name in names.CLASSES or _plain(name) in _PLAIN


def _plain(name):
    """Return a name as `glorot_uniform` and `GlorotUniform` have it in common."""
    return name.replace("_", "").lower()


_PLAIN = frozenset(map(_plain, names.CLASSES))
