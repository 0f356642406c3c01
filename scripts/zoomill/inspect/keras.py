"""Keras models: the HDF5 file of Keras 1 to 3, the .keras archive, and the configuration that TFJS keeps as well.

Only configuration, and names, shapes and dtypes of weights are read: no layer is built, so that no Lambda layer runs.
"""

import collections
import io
import zipfile

from zoomill.errors import UserError
from zoomill.inspect import allowed, allowed_layers, guards, hdf5, keras_names, report

MEMBERS = ("config.json", "metadata.json", "model.weights.h5")


def read_h5(path):
    """Report an HDF5 file: a model, or only weights.

    Raises:
        UserError: when it is HDF5 but not of Keras, or h5py is missing.
        OSError: when it is truncated.
    """
    with hdf5.opened(path, path) as file:
        outside = hdf5.outside(file)
        config = hdf5.text(file, "model_config")
        producer = {"keras": hdf5.text(file, "keras_version"), "backend": hdf5.text(file, "backend")}
        if config is not None:
            weights = _weights(file, ["model_weights"])
            return _report("keras_h5", producer, guards.parsed(config, path), weights, outside)
        if "layer_names" not in file.attrs and "layers" not in file:
            raise UserError(f"{path}: is an HDF5 file, but holds no Keras model")
        weights = _weights(file, set(file) - {"optimizer"})
    notes = ["the file has no configuration of a model; its inputs, outputs and layers are not known"]
    notes += allowed.notes(outside)
    empty = report.graph([], {}, (), bool, weights)
    return report.report("keras_weights", producer, [empty], notes=notes)


def read_archive(path):
    """Report a .keras archive.

    Raises:
        UserError: when members are missing or unpack to more than a model of this size has, or h5py is missing.
        zipfile.BadZipFile: when it is truncated.
    """
    with zipfile.ZipFile(path) as archive:
        config, metadata, stored = members(archive, path)
    with hdf5.opened(path, io.BytesIO(stored)) as file:
        weights = _weights(file, set(file) - {"optimizer"})
        outside = hdf5.outside(file)
    return _report("keras", {"keras": metadata.get("keras_version")}, config, weights, outside)


def members(archive, path):
    """Return the configuration, the metadata and the HDF5 bytes of weights in a .keras archive.

    Raises:
        UserError: when members are missing, there twice or no JSON, or unpack to more than a model of this size has.
    """
    config, metadata, stored = (_member(path, archive, name) for name in MEMBERS)
    return guards.parsed(config, path), guards.parsed(metadata, path), stored


def graph(config, weights):
    """Return the report's graph, and notes, for a model's configuration ``{class_name, config}``.

    ``weights`` are :class:`~zoomill.inspect.report.Parameters`.
    """
    layers = _layers(config)
    customs = {layer["class_name"] for layer in layers if _is_custom(layer)}
    operators = collections.Counter(layer["class_name"] for layer in layers)
    notes = allowed.notes(allowed_layers.found(config))
    return report.graph([_signature(config)], operators, (), customs.__contains__, weights), notes


def _report(kind, producer, config, weights, outside):
    one, notes = graph(config, weights)
    return report.report(kind, producer, [one], notes=notes + allowed.notes(outside))


def _weights(file, groups):
    """Count the datasets below some groups; links into other files are not followed."""
    import h5py

    weights = report.Parameters()

    def add(_, item):
        if isinstance(item, h5py.Dataset):
            weights.add(item.dtype.name, item.shape or ())

    for name in sorted(groups):
        if isinstance(file.get(name, getlink=True), h5py.HardLink) and isinstance(file[name], h5py.Group):
            file[name].visititems(add)
    return weights


def _member(path, archive, name):
    count = archive.namelist().count(name)
    if count != 1:
        raise UserError(f"{path}: is no Keras archive: it {'has twice' if count else 'lacks'} {name}")
    return guards.member(archive, archive.getinfo(name), path)


def _layers(config):
    """Return the model's layers, those of nested models and wrapped ones too, as their configurations."""
    found, waiting = [], list(_children(config))
    while waiting:
        layer = waiting.pop()
        found.append(layer)
        waiting += _children(layer)
    return found


def _children(layer):
    settings = layer["config"]
    # Keras 1 and 2.0 wrote a Sequential model's layers in place of its configuration.
    if isinstance(settings, list):
        return settings
    inner = [settings[key] for key in ("layer", "cell") if isinstance(settings.get(key), dict)]
    return [*settings.get("layers", []), *(child for child in inner if "class_name" in child)]


def _is_custom(layer):
    name, module = layer["class_name"], layer.get("module")
    if "module" in layer:
        return name == "Lambda" or not str(module).startswith(("keras", "tf_keras"))
    # tf.keras of 1.13 to 2.2 called some layers BatchNormalizationV1, LSTMV2 and so on.
    known = keras_names.LAYERS | keras_names.CALLERS
    return name not in known and name.removesuffix("V1").removesuffix("V2") not in known


def _signature(config):
    settings = config["config"]
    children = _children(config)
    if isinstance(settings, dict) and "input_layers" in settings:
        layers = {_name(layer): layer for layer in children}
        inputs = [_interface(layers[name], index) for name, index in _references(settings["input_layers"])]
        outputs = [_output(layers[name], index) for name, index in _references(settings["output_layers"])]
        return report.signature(None, inputs, outputs)
    if not children:
        return report.signature(None, [], [])
    return report.signature(None, [_interface(children[0], 0)], [_output(children[-1], 0)])


def _references(nested):
    """Return the (layer, tensor) pairs in lists and dicts of ``[layer, node, tensor]``, which older files nest."""
    if isinstance(nested, dict):
        return [pair for key in nested for pair in _references(nested[key])]
    if nested and isinstance(nested[0], str):
        return [(nested[0], nested[2])]
    return [pair for entry in nested for pair in _references(entry)]


def _name(layer):
    # Keras 2.0 and older have the name inside the configuration only; Keras 3 has both.
    return layer["config"].get("name") or layer.get("name")


def _interface(layer, index):
    """Return an input: its shape is kept by the InputLayer, or by the first layer of a Sequential model."""
    settings = layer["config"]
    shape = settings.get("batch_input_shape") or settings.get("batch_shape")
    shape = None if shape is None else [-1 if size is None else size for size in shape]
    return report.tensor(_name(layer), f"{_name(layer)}:{index}", _dtype(settings), shape)


def _output(layer, index):
    # Shapes of outputs are computed when a model is built, not stored.
    return report.tensor(_name(layer), f"{_name(layer)}:{index}", _dtype(layer["config"]), None)


def _dtype(settings):
    """Return the dtype a layer computes in; a policy is a name or, since Keras 3, a configuration."""
    policy = settings.get("dtype")
    name = policy["config"].get("name") if isinstance(policy, dict) else policy
    return str(name).removeprefix("mixed_") if name else None
