"""Export Keras models whose interface is not a list of plainly named tensors with an open batch, and print what came.

Usage: python keras_interfaces.py FOLDER, with the repository's scripts on PYTHONPATH. One line of JSON a model: its
contract, or the error, and how far the exported graph is from Keras on inputs of our own.
"""

import json
import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from zoomill.errors import UserError
from zoomill.graph import export, golden_inputs
from zoomill.sources import keras_source

CARD = {"inputs": [], "outputs": [], "labels": [], "label_offset": 0}
# Neither are names that Python can have.
NAMES, KEYS = ("noise-input", "1x"), ("third key", "Noise Input", "1x")


def by_keys(kit):
    """Return a model of dicts whose keys are neither layers' names nor those of Python, in no order."""
    inputs = {name: kit.Input((4,), name=f"layer_{place}") for place, name in enumerate(KEYS)}
    hidden = [kit.layers.Dense(3)(inputs[name]) for name in KEYS]
    outputs = {"zeta": kit.layers.Dense(2)(hidden[0]), "alpha": kit.layers.Subtract()(hidden[1:])}
    return kit.Model(inputs, outputs)


def by_layers(kit):
    """Return a model of lists whose layers have names that are none of Python."""
    inputs = [kit.Input((4,), name=name) for name in NAMES]
    return kit.Model(inputs, kit.layers.Dense(2)(kit.layers.Subtract()(inputs)))


def fixed(kit):
    """Return a model of a batch of five, whose rows meet."""
    rows = kit.Input((4,), batch_size=5, name="rows")
    return kit.Model(rows, kit.layers.Reshape((3,))(kit.layers.Dense(3)(rows)))


def mixed(kit):
    """Return a model that computes in half precision."""
    policies = kit.mixed_precision
    policies.set_global_policy("mixed_float16")
    rows = kit.Input((4,), name="rows")
    model = kit.Model(rows, kit.layers.Dense(3)(kit.layers.Dense(64, activation="relu")(rows)))
    policies.set_global_policy("float32")
    return model


def custom(kit):
    """Return a model with a layer that Keras does not have."""

    class HomeMade(kit.layers.Layer):
        def call(self, inputs):
            return inputs

    return kit.Sequential([kit.layers.Input((4,)), HomeMade(name="mine"), kit.layers.Dense(2)])


MODELS = {
    "keys.keras": (by_keys, keras, {}),
    "keys.h5": (by_keys, tf_keras, {}),
    "layers.keras": (by_layers, keras, {}),
    "fixed.keras": (fixed, keras, {}),
    "one_of_fixed.keras": (fixed, keras, {"inputs": [{"shape": [1, 4]}]}),
    "mixed.keras": (mixed, keras, {}),
    "mixed.h5": (mixed, tf_keras, {}),
    "mixed_saved": (mixed, tf_keras, {}),
    "custom.keras": (custom, keras, {}),
    "custom.h5": (custom, tf_keras, {}),
    "refused.keras": (custom, keras, {}),
}


def result(folder, name, make, kit, card):
    """Return what became of a model as JSON values."""
    kit.utils.set_random_seed(1)
    model, path = make(kit), os.path.join(folder, name)
    model.save(path)
    allow = [] if name.startswith("refused") else ["HomeMade"]
    try:
        source = keras_source.load(folder, {"path": name, "allow": allow}, {**CARD, **card})
        export.export(source, {**CARD, **card}, golden_inputs.Given(), f"{path}_graph", "small")
    except UserError as error:
        return {"error": str(error)}
    with open(f"{path}_graph/contract.json") as file:
        contract = json.load(file)
    return {**contract, "apart": apart(f"{path}_graph", contract, model), "golden": golden(f"{path}_graph")}


def apart(folder, contract, model):
    """Return the largest difference between the exported graph and the Keras model, on normal noise."""
    loaded = tf.saved_model.load(f"{folder}/saved_model").signatures["serving_default"]
    random = np.random.default_rng(0)
    feed = {e["name"]: random.normal(size=e["shape"]).astype(np.float32) for e in contract["inputs"]}
    found = loaded(**{name: tf.constant(array) for name, array in feed.items()})
    given = getattr(model, "_inputs_struct", getattr(model, "_nested_inputs", None))
    if isinstance(given, dict):
        expected = model({name: feed[name.replace(" ", "_")] for name in given})
    else:
        values = [feed[entry["name"]] for entry in contract["inputs"]]
        values = [np.repeat(v, 5, 0) if model.inputs[0].shape[0] == 5 and len(v) == 1 else v for v in values]
        expected = model(values if len(values) > 1 else values[0])
    expected = expected if isinstance(expected, dict) else {contract["outputs"][0]["name"]: expected}
    return max(float(np.abs(found[name] - np.asarray(expected[name])[: len(found[name])]).max()) for name in expected)


def golden(folder):
    """Return the names in golden.npz."""
    with np.load(f"{folder}/golden.npz") as stored:
        return sorted(stored)


if __name__ == "__main__":
    for name, entry in MODELS.items():
        print(json.dumps({"name": name, **result(sys.argv[1], name, *entry)}), flush=True)
