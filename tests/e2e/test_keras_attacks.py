"""Keras files that do more than a network: each does it when Keras loads it, and the exporter refuses it unloaded."""

import json
import os
import subprocess

import environments
import pytest
from conftest import REPOSITORY, missing

pytestmark = pytest.mark.slow

REFUSALS = {
    "a_lambda_with_a_zip_behind_it": "the layer lambda is of Lambda, which runs code; allow it in the card",
    "a_tensorflow_function_that_writes_a_file": "the layer call is of io.write_file, which touches files",
    "a_module_of_others": "is of imported.Sequential, which is not known to be harmless",
    "weights_whose_bytes_are_another_file": "is kept as ExternalDataset, which reads elsewhere; refused",
}


@pytest.fixture(scope="module")
def attacks(tmp_path_factory):
    """What became of each attack."""
    python = environments.python_of("tf2") or missing("the environment tf2 is not built")
    folder = tmp_path_factory.mktemp("attacks")
    command = [python, REPOSITORY / "tests/e2e/keras_attacks.py", folder]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts")}
    process = subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True, text=True)
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize("attack", REFUSALS)
def test_an_attack_that_works_on_keras_is_refused_in_one_line_and_does_nothing(attacks, attack):
    found = attacks[attack]
    assert found["works"]
    assert REFUSALS[attack] in found["refusal"]
    assert "\n" not in found["refusal"]
    assert not found["marked"]
