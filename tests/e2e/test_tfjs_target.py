"""TensorFlow.js as a target: models that its converter breaks run, keep their names, and are the same bytes."""

import json
import os
import shutil
import subprocess

import figures
import numpy as np
import pytest
from conftest import REPOSITORY, source_flags
from PIL import Image

from zoomill import files, folders
from zoomill.errors import UserError
from zoomill.proof import evidence
from zoomill.tfjs import tfjs_model, tfjs_repairs, tfjs_runtime

pytestmark = pytest.mark.slow

KINDS = ("detector", "combined", "loop", "ensured", "masked", "upsampling", "products")
OPTIONS = {"shard_bytes": 4194304, "strip_debug_ops": True, "control_flow_v2": "auto"}
OPTIONS["skip_op_check"] = ["CombinedNonMaxSuppression"]
DETECTIONS = ("anchor_indices", "boxes", "classes", "multiclass_scores", "scores")
EIGHT = [*(f"detection_{name}" for name in DETECTIONS), "num_detections", "raw_detection_boxes", "raw_detection_scores"]


def drawn_noise(folder):
    """Write four pictures of noise and return their paths."""
    paths = [folder / f"{seed}.png" for seed in range(4)]
    for seed, path in enumerate(paths):
        Image.fromarray(np.random.RandomState(seed).randint(0, 256, (16, 16, 3)).astype(np.uint8)).save(path)
    return paths


@pytest.fixture(scope="session")
def graphs(tmp_path_factory, environment_python, command):
    """Folder with a SavedModel of each kind, and its exported graph below ``graph``."""
    folder = tmp_path_factory.mktemp("tfjs_models")
    python = environment_python("tf2")
    subprocess.run([python, REPOSITORY / "tests/e2e/tfjs_models.py", folder], check=True, capture_output=True)
    for kind in KINDS:
        # TensorFlow.js does not pad the lists of NonMaxSuppressionV5: pictures of noise have enough boxes to fill them.
        noise = drawn_noise(folder) if kind in ("detector", "combined") else []
        inputs = [{"shape": [1, 6]}] if kind == "ensured" else [{"value_range": [-1, 1]}] if noise else []
        options = {"tags": ["serve"], "signature": "serving_default"}
        flags = source_flags(kind, folder / kind, {"inputs": inputs}, **options)
        flags += ["--output-dir", folder / "graph" / kind, "--golden-images", *noise]
        command(python, "export_saved_model", *flags).check_returncode()
    return folder


@pytest.fixture(scope="session")
def convert(graphs, javascript, environment_python, command):
    """Return a function that runs convert_tfjs on a kind and returns the process."""

    def run(kind, output, options=OPTIONS, **environment):
        graph = graphs / "graph" / kind
        flags = ["--graph", graph / "graph.pb", "--contract", graph / "contract.json", "--golden", graph / "golden.npz"]
        flags += ["--options", json.dumps(options), "--library", javascript, "--output", output]
        return command(environment_python("tf2"), "convert_tfjs", *flags, env=os.environ | environment)

    return run


@pytest.fixture(scope="session")
def converted(convert, tmp_path_factory):
    """Folder with a converted model of each kind."""
    folder = tmp_path_factory.mktemp("tfjs")
    for kind in KINDS:
        process = convert(kind, folder / kind)
        assert process.returncode == 0, process.stderr
    return folder


@pytest.fixture(scope="session")
def untouched(environment_python):
    """Return a function that calls the converter itself with lists of flags."""

    def run(*conversions, onednn=0):
        command = [environment_python("tf2"), REPOSITORY / "tests/e2e/tfjs_conversions.py", str(onednn)]
        text = json.dumps([list(map(str, flags)) for flags in conversions])
        return subprocess.run(command, input=text, text=True, capture_output=True, check=True)

    return run


def frozen(graphs, kind, *more):
    """Return the flags that convert an exported graph."""
    names = [entry["tensor"] for entry in contract(graphs, kind)["outputs"]]
    return ["--input_format=tf_frozen_model", f"--output_node_names={','.join(names)}", "--skip_op_check", *more]


def contract(graphs, kind):
    return files.read_json(graphs / "graph" / kind / "contract.json")


def golden(graphs, kind):
    return evidence.read_golden(graphs / "graph" / kind / "golden.npz")


def outputs(folder, graphs, kind, javascript, backend="wasm"):
    """Return the outputs of a model for all golden inputs."""
    promised = contract(graphs, kind)
    return tfjs_runtime.run_golden(folder, promised, golden(graphs, kind), backend, javascript)["outputs"]


def operators(folder):
    return tfjs_model.operators(tfjs_model.read_document(folder))


@pytest.mark.parametrize("backend", tfjs_runtime.BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_converted_model_gives_the_source_s_outputs_under_their_names(converted, graphs, kind, javascript, backend):
    runs = outputs(converted / kind, graphs, kind, javascript, backend)
    found = figures.of_runs(runs, contract(graphs, kind), golden(graphs, kind))
    assert all(errors["max_abs"] <= 1e-5 < errors["peak"] for errors in found.values())


def test_another_conversion_in_another_folder_gives_the_same_bytes(converted, convert, tmp_path):
    assert convert("detector", tmp_path / "an other", PYTHONHASHSEED="7").returncode == 0
    assert folders.digest(tmp_path / "an other") == folders.digest(converted / "detector")
    text = (converted / "detector/model.json").read_text()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize("kind", KINDS)
def test_no_notes_of_the_optimiser_are_left_which_differ_between_runs(converted, kind):
    nodes = tfjs_model.nodes(tfjs_model.read_document(converted / kind))
    assert {name for node in nodes for name in node.get("attr", {}) if name.startswith("_")} == set()


def test_the_signature_has_the_contract_s_names_dtypes_and_shapes(converted, graphs):
    document = tfjs_model.read_document(converted / "detector")
    assert list(document["signature"]["outputs"]) == EIGHT == document["userDefinedMetadata"]["structuredOutputKeys"]
    assert document["signature"]["inputs"]["image"] == {
        "name": "image:0",
        "dtype": "DT_FLOAT",
        "tensorShape": {"dim": [{"size": "1"}, {"size": "16"}, {"size": "16"}, {"size": "3"}]},
    }


def test_all_eight_outputs_are_named_right_where_structured_names_of_the_converter_are_wrong(
    converted, graphs, javascript, untouched, tmp_path
):
    flags = ["--use_structured_outputs_names=True", graphs / "detector", tmp_path / "plain"]
    untouched(["--input_format=tf_saved_model", *flags])
    document = tfjs_model.read_document(tmp_path / "plain")
    keys = document["userDefinedMetadata"]["structuredOutputKeys"]
    theirs = dict(zip(keys, [entry["name"] for entry in document["signature"]["outputs"].values()], strict=True))
    # What `predict` of such a model gives under a name.
    document["signature"]["outputs"] = {key: {"name": name} for key, name in theirs.items()}
    tfjs_model.write_document(tmp_path / "plain", document)

    def wrong(folder):
        expected = golden(graphs, "detector")
        return {
            name
            for row, run in enumerate(outputs(folder, graphs, "detector", javascript))
            for name in EIGHT
            if run[name].shape != expected[name][row].shape
            or not np.allclose(run[name], expected[name][row], atol=1e-5)
        }

    assert wrong(converted / "detector") == set()
    assert len(wrong(tmp_path / "plain")) >= 2


def test_ensure_shape_does_not_run_as_the_converter_leaves_it(converted, graphs, javascript, untouched, tmp_path):
    graph = graphs / "graph/ensured/graph.pb"
    untouched([*frozen(graphs, "ensured"), graph, tmp_path / "plain"])
    assert "EnsureShape" in operators(tmp_path / "plain") and "EnsureShape" not in operators(converted / "ensured")
    document = tfjs_model.read_document(tmp_path / "plain")
    tfjs_repairs.name_ends(document, contract(graphs, "ensured"))
    tfjs_model.write_document(tmp_path / "plain", document)
    with pytest.raises(UserError, match="cannot run it"):
        outputs(tmp_path / "plain", graphs, "ensured", javascript)


def test_fractions_are_true_on_wasm_where_the_converter_leaves_a_cast(
    converted, graphs, javascript, untouched, tmp_path
):
    graph = graphs / "graph/masked/graph.pb"
    untouched([*frozen(graphs, "masked"), graph, tmp_path / "plain"])
    document = tfjs_model.read_document(tmp_path / "plain")
    tfjs_repairs.name_ends(document, contract(graphs, "masked"))
    tfjs_model.write_document(tmp_path / "plain", document)
    expected = [array.ravel() for array in golden(graphs, "masked")["kept"]]
    plain, ours = (
        [run["kept"].ravel() for run in outputs(folder, graphs, "masked", javascript)]
        for folder in (tmp_path / "plain", converted / "masked")
    )
    assert any(((found == 0) & (array != 0)).any() for found, array in zip(plain, expected, strict=True))
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_a_fused_batch_norm_is_avoided_whatever_the_environment_says(converted, convert, graphs, untouched, tmp_path):
    graph = graphs / "graph/upsampling/graph.pb"
    untouched([*frozen(graphs, "upsampling"), graph, tmp_path / "plain"], onednn=1)
    assert "_FusedBatchNormEx" in operators(tmp_path / "plain")
    by_hand = {"TF_ENABLE_ONEDNN_OPTS": "1", "ZOOMILL_WARM": ""}
    assert convert("upsampling", tmp_path / "ours", **by_hand).returncode == 0
    assert folders.digest(tmp_path / "ours") == folders.digest(converted / "upsampling")


def test_an_operator_of_our_own_is_delivered_with_the_model_that_has_it(converted, graphs, javascript, tmp_path):
    shutil.copytree(converted / "combined", tmp_path / "without")
    (tmp_path / "without/operators.js").unlink()
    with pytest.raises(UserError, match="CombinedNonMaxSuppression"):
        outputs(tmp_path / "without", graphs, "combined", javascript)
    assert not (converted / "detector/operators.js").exists()


def test_an_operator_that_is_lacking_is_refused_by_name_and_node_unless_the_card_allows_ours(convert, tmp_path):
    process = convert("combined", tmp_path / "model", OPTIONS | {"skip_op_check": []})
    (line,) = [line for line in process.stderr.splitlines() if line.startswith("error: ")]
    assert "TensorFlow.js lacks the operator CombinedNonMaxSuppression of the node " in line
    assert "tfjs: skip_op_check" in line and process.returncode == 1 and not (tmp_path / "model").exists()


def test_a_quantised_folder_is_what_the_converter_itself_would_write(
    converted, graphs, untouched, command, environment_python, tmp_path
):
    plain = {dtype: tmp_path / f"plain.{dtype}" for dtype in ("float16", "uint16", "uint8")}
    graph = graphs / "graph/upsampling/graph.pb"
    untouched(*([*frozen(graphs, "upsampling"), f"--quantize_{dtype}=*", graph, plain[dtype]] for dtype in plain))
    for dtype, folder in plain.items():
        document = tfjs_model.read_document(folder)
        tfjs_repairs.repair(document, contract(graphs, "upsampling"), None)
        tfjs_model.write_document(folder, document)
        flags = [
            "--float",
            converted / "upsampling",
            "--patterns",
            json.dumps({dtype: ["*"]}),
            "--shard-bytes",
            4194304,
        ]
        process = command(environment_python("litert"), "quantise_tfjs", *flags, "--output", tmp_path / dtype)
        assert process.returncode == 0, process.stderr
        assert folders.digest(tmp_path / dtype) == folders.digest(folder)


@pytest.fixture(scope="session")
def keras_models(tmp_path_factory, environment_python, command):
    """Folder with Keras models, and the graph of each below ``graph``."""
    folder = tmp_path_factory.mktemp("keras_models")
    python = environment_python("tf2")
    subprocess.run([python, REPOSITORY / "tests/e2e/keras_models.py", folder], check=True, capture_output=True)
    for path in list(folder.iterdir()):
        flags = [*source_flags(path.stem, path), "--output-dir", folder / "graph" / path.name]
        command(python, "export_keras", *flags).check_returncode()
    return folder


@pytest.fixture
def layers(keras_models, javascript, command, environment_python, tmp_path):
    """Return a function that runs convert_layers on a Keras model: the process and the folder."""

    def run(name):
        graph = keras_models / "graph" / name
        flags = ["--path", keras_models / name, "--contract", graph / "contract.json", "--golden", graph / "golden.npz"]
        flags += ["--shard-bytes", 4194304, "--library", javascript, "--output", tmp_path / "layers"]
        return command(environment_python("tf2"), "convert_layers", *flags), tmp_path / "layers"

    return run


@pytest.mark.parametrize("name", ["regularized.h5", "functional.h5", "functional.keras", "sequential.keras"])
def test_a_layers_model_loads_and_gives_the_source_s_outputs(layers, keras_models, javascript, name):
    process, folder = layers(name)
    assert process.returncode == 0, process.stderr
    document = tfjs_model.read_document(folder)
    assert document["format"] == "layers-model" and "training_config" not in document["modelTopology"]
    promised = files.read_json(keras_models / "graph" / name / "contract.json")
    expected = evidence.read_golden(keras_models / "graph" / name / "golden.npz")
    runs = tfjs_runtime.run_golden(folder, promised, expected, "wasm", javascript)["outputs"]
    found = figures.of_runs(runs, promised, expected)
    assert all(errors["max_abs"] <= 1e-5 < errors["peak"] for errors in found.values())
    assert not (keras_models / "config.json").exists()  # the converter unpacks a .keras file beside itself


@pytest.mark.parametrize(
    ("name", "reason"), [("regularized.h5", "Unknown regularizer"), ("functional.h5", "InputLayer should be passed")]
)
def test_a_layers_model_does_not_load_as_the_converter_leaves_it(
    layers, keras_models, javascript, untouched, tmp_path, name, reason
):
    _, folder = layers(name)
    flags = ["--input_format=keras", "--output_format=tfjs_layers_model", keras_models / name, tmp_path / "plain"]
    untouched(flags)
    document = tfjs_model.read_document(tmp_path / "plain") | {
        "signature": tfjs_model.read_document(folder)["signature"]
    }
    tfjs_model.write_document(tmp_path / "plain", document)
    promised = files.read_json(keras_models / "graph" / name / "contract.json")
    expected = evidence.read_golden(keras_models / "graph" / name / "golden.npz")
    with pytest.raises(UserError, match=reason):
        tfjs_runtime.run_golden(tmp_path / "plain", promised, expected, "cpu", javascript)


def test_a_layers_model_that_does_not_load_is_not_delivered(layers):
    process, folder = layers("shrinking.h5")
    (line,) = [line for line in process.stderr.splitlines() if line.startswith("error: ")]
    assert "as a layers model: " in line and "its graph model, main, does without layers" in line
    assert process.returncode == 1 and not folder.exists()


def test_the_map_of_a_detector_with_eight_outputs_is_confirmed_by_numbers(
    converted, graphs, javascript, command, environment_python, tmp_path
):
    graph = graphs / "graph/detector"
    flags = ["--model", converted / "detector", "--contract", graph / "contract.json", "--golden", graph / "golden.npz"]
    flags += ["--library", javascript, "--output", tmp_path / "map.json"]
    process = command(environment_python("litert"), "map_tfjs", *flags)
    assert process.returncode == 0, process.stderr
    found = files.read_json(tmp_path / "map.json")
    assert [found["outputs"][name]["source"] for name in EIGHT] == [
        f"Identity_{index}:0" if index else "Identity:0" for index in range(8)
    ]
    assert {entry["basis"].split(",")[0] for entry in found["outputs"].values()} == {
        "structure",
        "the only output of its size",
    }
    assert found["roles"] == {role: f"detection_{role}" for role in ("boxes", "scores", "classes")}


def test_a_plan_rescues_what_uint8_breaks_within_its_budget(workflow, zoo):
    model, variants = "mobilenet_v1_025_224", ("float32", "uint8", "planned")
    paths = [f"results/{model}/main.{variant}.tfjs" for variant in variants]
    workflow.run(*(f"{path}.metric.json" for path in paths), config=[f'mirrors=["{zoo}"]'])
    whole, small, planned = (json.loads(workflow.file(f"{path}.metric.json").read_text())["values"] for path in paths)
    assert planned["top_1"] >= whole["top_1"] - 0.01 and small["top_1"] < whole["top_1"] - 0.3
    sizes = [folders.size(workflow.file(path)) for path in paths]
    assert sizes[2] <= 0.4 * sizes[0]
    record = json.loads(workflow.file(f"results/{model}/main.planned.json").read_text())
    assert sizes[2] <= record["bytes"] and record["expected_error"] < 1e-3 * record["uint8_error"]


def test_our_conversion_of_a_model_agrees_with_that_of_its_author(workflow, zoo, javascript):
    ours = "results/emnist_digits/main.float32.tfjs"
    workflow.run(ours, config=[f'mirrors=["{zoo}"]'])
    promised = files.read_json(workflow.file("build/emnist_digits/main/contract.json"))
    pinned = evidence.read_golden(workflow.file("build/emnist_digits/main/golden.npz"))
    theirs = zoo / "emnist_digits_savedmodel_tfjs_tflite/tfjs_model"
    runs = [
        tfjs_runtime.run_golden(folder, promised, pinned, "wasm", javascript)["outputs"]
        for folder in (workflow.file(ours), theirs)
    ]
    for one, other in zip(*runs, strict=True):
        assert np.abs(one["output_0"] - other["output_0"]).max() <= 1e-6
