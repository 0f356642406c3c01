"""Interfaces of Keras models: dicts, names that Python cannot have, fixed batches, half precision, unknown classes."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import REPOSITORY


@pytest.fixture(scope="module")
def found(environment_python, tmp_path_factory):
    """What came of each model of keras_interfaces.py."""
    script, folder = Path(__file__).with_name("keras_interfaces.py"), tmp_path_factory.mktemp("keras")
    settings = {"PYTHONPATH": str(REPOSITORY / "scripts"), "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONNOUSERSITE": "1"}
    command = [environment_python("tf2"), script, folder]
    process = subprocess.run(command, env=os.environ | settings, text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    return {entry.pop("name"): entry for entry in map(json.loads, process.stdout.splitlines())}


def ends(contract):
    return [[entry["name"] for entry in contract[side]] for side in ("inputs", "outputs")]


@pytest.mark.parametrize("name", ["keys.keras", "keys.h5"])
def test_the_keys_of_dicts_are_the_names_and_each_is_fed_its_own(found, name):
    assert ends(found[name]) == [["1x", "Noise_Input", "third_key"], ["alpha", "zeta"]]
    assert found[name]["apart"] < 1e-5


def test_names_that_python_cannot_have_are_the_contracts(found):
    assert ends(found["layers.keras"])[0] == ["noise_input", "1x"] and found["layers.keras"]["apart"] < 1e-5


def test_a_fixed_batch_is_kept_unless_the_card_makes_it_one_and_then_said(found):
    kept, one = found["fixed.keras"], found["one_of_fixed.keras"]
    assert kept["inputs"][0]["shape"] == [5, 4] and kept["notes"] == [] and kept["apart"] < 1e-5
    assert one["inputs"][0]["shape"] == [1, 4] and one["apart"] < 1e-5
    assert one["notes"] == ["input rows: the source has a fixed batch of 5, here it is 1"]


@pytest.mark.parametrize("name", ["mixed.keras", "mixed.h5", "mixed_saved"])
def test_half_precision_is_said_and_its_rounding_kept_apart(found, name):
    assert "mixed_float16; here in float32" in found[name]["notes"][0]
    assert {entry.startswith("rounded/") for entry in found[name]["golden"]} == {True, False}
    assert 1e-7 < found[name]["apart"] < 1e-2


@pytest.mark.parametrize("name", ["custom.keras", "custom.h5"])
def test_a_class_that_keras_lacks_is_named_with_the_way_out(found, name):
    assert "it has no HomeMade; where its code is, write the model with `model.export(FOLDER)`" in found[name]["error"]
    assert "kind saved_model" in found["refused.keras"]["error"]
