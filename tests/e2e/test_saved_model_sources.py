"""SavedModels and TF-Hub modules of every kind become TFLite that agrees with them; wrong names are answered."""

import hashlib
import json
import subprocess
import tarfile

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY, Workflow, source_flags
from http_server import Server

PICTURE, VECTOR = [{"shape": [1, 8, 8, 3]}], [{"shape": [1, 6]}]
TPU = {"tags": ["serve", "tpu"], "signature": "features"}
# What each model is made of, how it travels, the options of its source, and the inputs whose shapes the module leaves
# open.
MODELS = {
    "hub_1_folder": ("hub_1", "folder", {"tags": [], "signature": "default"}, PICTURE),
    "hub_1_tarball": ("hub_1", "tarball", {"tags": [], "signature": "features"}, PICTURE),
    "hub_1_train": ("hub_1", "folder", {"tags": ["train"], "signature": "default"}, PICTURE),
    "hub_2_folder": ("hub_2", "folder", {"signature": "__call__"}, VECTOR),
    "hub_2_tarball": ("hub_2_signature", "tarball", {}, VECTOR),
    "keras_saved": ("keras_2", "folder", {"kind": "keras"}, []),
    "keras_signature": ("keras_2", "folder", {}, [{"shape": [1, 2]}, {"shape": [1, 8, 8, 3]}]),
    "tf1_frozen_graph": ("tf1_frozen", "folder", {}, []),
    "tf1_with_variables": ("tf1_variables", "folder", {}, []),
    "steps": ("steps", "folder", {}, []),
    "tables": ("tables", "folder", {}, [{"shape": [1, 3]}]),
    "pinned": ("scaled", "folder", {"constants": {"ratio": 0.5, "state": 3}}, []),
    "tf1_tables": ("tf1_tables", "folder", {}, []),
    "tf1_other_tags": ("tf1_variables", "folder", TPU, []),
}
OUTPUTS = {
    "hub_1_folder": ["default"],
    "hub_2_folder": ["output"],
    "hub_2_tarball": ["output_0"],
    "keras_saved": ["turn", "kind"],
    "keras_signature": ["kind", "turn"],
    "tf1_other_tags": ["features", "scores"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory, environment_python):
    """Folder with one SavedModel of each kind."""
    folder = tmp_path_factory.mktemp("made")
    script = REPOSITORY / "tests/e2e/saved_models.py"
    process = subprocess.run([environment_python("tf2"), script, folder], cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return folder


def tarball(folder, path):
    """Pack a folder with its contents at the root, as TF-Hub does."""
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname=".")
    return path


def entries(folder, server, model, kind, travels):
    """Serve a SavedModel and return the card's files."""
    paths = sorted(path for path in (folder / kind).rglob("*") if path.is_file())
    named = {str(path.relative_to(folder / kind)): path for path in paths}
    if travels == "tarball":
        named = {"module.tar.gz": tarball(folder / kind, folder / f"{model}.tar.gz")}
    result = []
    for name, path in named.items():
        data = path.read_bytes()
        server[f"{model}/{name}"] = data
        url, digest = f"{server.url}/{model}/{name}", hashlib.sha256(data).hexdigest()
        result.append({"name": name, "urls": [url], "sha256": digest})
        if travels == "tarball":
            result[-1]["unpack"] = {}
    return result


@pytest.fixture(scope="module")
def run(made, tmp_path_factory):
    """A run that validated the float32 artifact of every model."""
    clone = tmp_path_factory.mktemp("saved_models") / "clone"
    (clone / "models").mkdir(parents=True)
    for path in REPOSITORY.iterdir():
        if path.name != "models":
            (clone / path.name).symlink_to(path)
    starter = "ssd_mobilenet_v1_shapes.yaml"
    (clone / f"models/{starter}").symlink_to(REPOSITORY / f"models/{starter}")
    made_run = Workflow(clone.parent / "run")
    with Server() as server:
        for model, (kind, travels, options, inputs) in MODELS.items():
            source = {"kind": "saved_model", "path": ".", "files": entries(made, server, model, kind, travels)}
            card = {"title": model, "task": "other", "licence": "Apache-2.0", "inputs": inputs}
            (clone / f"models/{model}.yaml").write_text(yaml.safe_dump({**card, "source": {**source, **options}}))
        command = made_run.command(*(f"results/{model}/main.float32.tflite.json" for model in MODELS))
        command[command.index("--snakefile") + 1] = str(clone / "Snakefile")
        process = subprocess.run(command, cwd=made_run.folder, text=True, capture_output=True)
    assert process.returncode == 0, process.stdout + process.stderr
    return made_run


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_the_float32_artifact_agrees_with_the_source(run, model):
    evidence = json.loads(run.file(f"results/{model}/main.float32.tflite.json").read_text())
    assert evidence["passed"] and evidence["failures"] == []


@pytest.mark.slow
def test_what_only_a_run_tells_of_an_outputs_shape_stands_in_the_contract(run):
    (output,) = json.loads(run.file("build/steps/main/contract.json").read_text())["outputs"]
    assert output["shape"] == [5, 1, 3]


@pytest.mark.slow
@pytest.mark.parametrize("model", OUTPUTS)
def test_the_outputs_are_those_of_the_chosen_signature(run, model):
    contract = json.loads(run.file(f"build/{model}/main/contract.json").read_text())
    assert [output["name"] for output in contract["outputs"]] == OUTPUTS[model]


def golden(run, model, name):
    """Return golden outputs, ``{bytes of the input: array}``; each model has inputs chosen for it."""
    folder = run.file(f"build/{model}/main")
    (source,) = json.loads((folder / "contract.json").read_text())["inputs"]
    with np.load(folder / "golden.npz") as arrays:
        inputs, outputs = arrays[source["tensor"]], arrays[name]
    return {given.tobytes(): output for given, output in zip(inputs, outputs, strict=True)}


def shared(first, second):
    """Return the outputs of two models for the golden inputs that both have, stacked."""
    both = sorted(first.keys() & second.keys())
    assert both
    return tuple(np.stack([outputs[given] for given in both]) for outputs in (first, second))


@pytest.mark.slow
def test_an_input_that_is_pinned_is_a_constant_of_graph_and_golden_outputs(run):
    contract = json.loads(run.file("build/pinned/main/contract.json").read_text())
    assert [entry["name"] for entry in contract["inputs"]] == ["image"]
    assert contract["outputs"][0]["shape"] == [1, 4, 4, 4]
    assert contract["notes"] == [
        "the source's input ratio is 0.5 here, a constant",
        "the source's input state is 3 here, a constant",
    ]
    with np.load(run.file("build/pinned/main/golden.npz")) as arrays:
        assert sorted(arrays) == ["features", "image"] and 1 < arrays["features"].mean() < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("constants", "reason"),
    [
        ({"rate": 1}, "`constants` names rate, which is no input; there are: image, ratio, state"),
        ({"ratio": [1, 2]}, "input ratio: `constants` gives [1, 2], the source takes float32 of shape []"),
        ({"ratio": True, "state": 0, "image": 0}, "`constants` names all inputs of the source; one at least must stay"),
    ],
)
def test_constants_that_do_not_fit_are_refused(made, refused, constants, reason):
    assert reason in refused("export_saved_model", made / "scaled", constants=constants)


@pytest.mark.slow
def test_hash_tables_of_numbers_hold_what_they_were_filled_with(run):
    with np.load(run.file("build/tables/main/golden.npz")) as arrays:
        ids, scores = arrays["ids"], arrays["scores"]
    known = {1: [1.0, 2.0], 8: [3.0, 4.0]}
    assert np.array_equal(scores, [[[known.get(number, [0.5, 0.25]) for number in row[0]]] for row in ids])
    assert {1, 8} & set(ids.ravel()) and len(np.unique(ids)) > 2


@pytest.mark.slow
def test_tags_and_options_choose_the_graph_for_inference_or_training(run):
    """In training the features of the modules are five times as large."""
    training, features = shared(golden(run, "tf1_other_tags", "features"), golden(run, "hub_1_tarball", "default"))
    np.testing.assert_allclose(training, 5 * features, rtol=1e-5)
    inference, training = shared(golden(run, "hub_1_folder", "default"), golden(run, "hub_1_train", "default"))
    assert np.abs(inference - training).max() > 0.01
    scores, inference = shared(golden(run, "tf1_with_variables", "scores"), golden(run, "hub_1_folder", "default"))
    np.testing.assert_allclose(scores, inference, rtol=1e-5)
    outputs = np.stack(list(golden(run, "hub_2_folder", "output").values()))
    assert np.abs(outputs).max() <= 1  # tanh; in training up to 5


@pytest.fixture
def refused(command, environment_python, tmp_path):
    """Return a function that runs an exporter and returns its one line."""

    def export(name, source, **options):
        output = tmp_path / "out"
        flags = source_flags("wrong", source, **{"tags": ["serve"], "signature": "serving_default", **options})
        process = command(environment_python("tf2"), name, *flags, "--output-dir", output)
        assert process.returncode == 1 and "Traceback" not in process.stderr, process.stderr
        assert not list(output.iterdir())
        (line,) = (line for line in process.stderr.splitlines() if line.startswith("error: "))
        return line

    return export


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options", "there"),
    [
        ("hub_1", {}, "has no graph with the tags [serve]; there are: [], [train]"),
        ("hub_1", {"tags": []}, "has no signature serving_default; there are: default, features"),
        ("hub_2", {}, "has no signature serving_default; there are: __call__"),
        ("hub_2_signature", {"signature": "default"}, "no signature default; there are: serving_default, __call__"),
        ("tf1_variables", {"tags": ["tpu"]}, "has no graph with the tags [tpu]; there are: [serve], [serve, tpu]"),
        ("tf1_frozen", {"signature": "x"}, "has no signature x; there are: features, serving_default"),
    ],
)
def test_wrong_tags_or_signatures_are_answered_with_those_that_are_there(made, refused, kind, options, there):
    line = refused("export_saved_model", made / kind, **options)
    assert line.startswith("error: wrong: ") and line.endswith(there)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("texts", "(LookupTableFindV2) reads a hash table of texts; export a function that takes and gives their"),
        ("counts", "(AssignAddVariableOp) writes to a variable, so that outputs depend on what ran before; export a"),
    ],
)
def test_state_that_no_constant_can_be_is_refused_by_its_operator(made, refused, signature, reason):
    assert reason in refused("export_saved_model", made / "tables", signature=signature)


def test_a_keras_saved_model_with_a_lambda_is_refused_by_name_and_never_runs(made, refused):
    assert "the layer backdoor is of Lambda" in refused("export_keras", made / "keras_2_lambda")
    assert not (made / "ran").exists()


def test_a_saved_model_without_keras_is_answered_with_the_kind_it_is(made, refused):
    assert "is kind saved_model" in refused("export_keras", made / "hub_2")


def test_a_damaged_saved_model_is_refused(made, refused, tmp_path):
    data = (made / "tf1_frozen/saved_model.pb").read_bytes()
    (tmp_path / "half").mkdir()
    (tmp_path / "half/saved_model.pb").write_bytes(data[: len(data) // 2])
    assert "cannot be loaded as a SavedModel" in refused("export_saved_model", tmp_path / "half")
