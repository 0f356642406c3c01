"""Sources of every kind become float32 TFLite that agrees with the source, and broken ones become one line."""

import json
import shutil

import numpy as np
import pytest
from conftest import REPOSITORY, Workflow, source_flags

from zoomill.inspect.graph import MESSAGES
from zoomill.plan import cards, schemas

CATALOGUE = cards.load_catalogue(REPOSITORY / "models", schemas.load(REPOSITORY / "rules/schemas")["card"])
# Real models of the mirror. The frozen SampLeNet is left out: it is in NCHW, which TensorFlow cannot run on a CPU.
REAL = [
    "aiy_ssd_mobilenet_v1_0125",
    "emnist_digits",
    "fast_srgan",
    "mlperf_tiny_ad01_autoencoder",
    "mlperf_tiny_kws01_dscnn",
    "ssd_mobilenet_v1_traffic_signs",
    "tfjs_node_model_multi_output",
    "vww_mobilenet_v1_025_slim",
]
ENDS = {"input_tensors": {"input": "input"}, "output_tensors": {"scores": "x"}}


def targets(model):
    """Return the evidence of a model's float32 artifacts."""
    return [f"results/{model}/{graph}.float32.tflite.json" for graph in CATALOGUE[model]["graphs"]]


@pytest.fixture(scope="module")
def real_run(zoo, tmp_path_factory):
    """A run that built the real models, and went on where one failed."""
    run = Workflow(tmp_path_factory.mktemp("real"))
    run.run(*(path for model in REAL for path in targets(model)), config=[f'mirrors=["{zoo}"]'], check=False)
    return run


@pytest.mark.parametrize("model", REAL)
def test_a_real_model_agrees_with_its_source(real_run, model):
    for path in targets(model):
        evidence = json.loads(real_run.file(path).read_text())
        assert evidence["failures"] == []


def test_raw_variables_and_the_frozen_graph_of_one_checkpoint_give_the_same_outputs(real_run, zoo):
    """Upstream froze the raw variables, not the moving averages."""
    import ai_edge_litert.interpreter as litert

    frozen = "results/vww_mobilenet_v1_025_frozen/main.float32.tflite"
    real_run.run(frozen, config=[f'mirrors=["{zoo}"]'])
    outputs = []
    for path in (frozen, "results/vww_mobilenet_v1_025_slim/main.float32.tflite"):
        runner = litert.Interpreter(str(real_run.file(path))).get_signature_runner("serving_default")
        outputs.append(runner(input=np.linspace(-1, 1, 96 * 96, dtype=np.float32).reshape(1, 96, 96, 1))["scores"])
    assert np.array_equal(*outputs)


@pytest.fixture
def refused(environment_python, command, tmp_path):
    """Return a function that runs an exporter on broken input and returns its one line."""

    def run(name, path, card=(), **options):
        output, flags = tmp_path / "out", source_flags("broken", path, card, **options)
        process = command(environment_python("tf2"), name, *flags, "--output-dir", output)
        lines = [line for line in process.stderr.splitlines() if line.startswith("error: ")]
        assert process.returncode == 1 and len(lines) == 1, process.stderr
        assert "Traceback" not in process.stderr
        assert not output.exists() or not list(output.iterdir())
        return lines[0]

    return run


def half(path, target):
    """Write the first half of a file to ``target``."""
    data = path.read_bytes()
    target.write_bytes(data[: len(data) // 2])
    return target


def test_a_truncated_h5_file_is_refused(refused, zoo, tmp_path):
    broken = half(zoo / "mlperf_tiny_ic01_resnet/pretrainedResnet.h5", tmp_path / "half.h5")
    assert "half.h5" in refused("export_keras", broken)


def test_a_truncated_frozen_graph_is_refused(refused, zoo, tmp_path):
    graph = zoo / "vww_mobilenetv1_025_96_gray_slim/person_detection_frozen_graph.pb"
    assert "half.pb" in refused("export_frozen_graph", half(graph, tmp_path / "half.pb"), **ENDS)


def test_a_graph_that_is_not_frozen_names_its_variable(refused, zoo):
    graph = zoo / "vww_mobilenetv1_025_96_gray_slim/person_detection_graph.pb"
    assert "use kind tf1_checkpoint" in refused("export_frozen_graph", graph, **ENDS)


@pytest.fixture
def foreign(tmp_path):
    """A frozen graph whose last node is of an operator that TensorFlow does not have."""
    graph = MESSAGES["GraphDef"]()
    picture = graph.node.add(name="picture", op="Placeholder")
    picture.attr["dtype"].type = 1
    for size in (1, 4):
        picture.attr["shape"].shape.dim.add(size=size)
    graph.node.add(name="heads", op="Relu", input=["picture"]).attr["T"].type = 1
    graph.node.add(name="last", op="TFLite_Detection_PostProcess", input=["heads"])
    path = tmp_path / "tflite_graph.pb"
    path.write_bytes(graph.SerializeToString())
    return path


def test_a_graph_may_end_before_an_operator_that_tensorflow_lacks_and_is_told_so(
    refused, foreign, command, environment_python, tmp_path
):
    ends = {"input_tensors": {"picture": "picture"}, "output_tensors": {"found": "last"}}
    line = refused("export_frozen_graph", foreign, **ends, allow=["TFLite_Detection_PostProcess"])
    assert "the node last is of TFLite_Detection_PostProcess, which TensorFlow does not have" in line
    assert line.endswith("with `source.output_tensors`, at heads")
    flags = source_flags("cut", foreign, **ends | {"output_tensors": {"found": "heads"}})
    process = command(environment_python("tf2"), "export_frozen_graph", *flags, "--output-dir", tmp_path / "cut")
    assert process.returncode == 0, process.stderr


def test_a_hash_table_in_a_frozen_graph_is_named_with_the_way_out(refused, tmp_path):
    graph = MESSAGES["GraphDef"]()
    for name, op in (("words", "Placeholder"), ("default", "Placeholder")):
        graph.node.add(name=name, op=op).attr["dtype"].type = 9
    table = graph.node.add(name="table", op="HashTableV2")
    table.attr["key_dtype"].type = table.attr["value_dtype"].type = 9
    found = graph.node.add(name="found", op="LookupTableFindV2", input=["table", "words", "default"])
    found.attr["Tin"].type = found.attr["Tout"].type = 9
    path = tmp_path / "table.pb"
    path.write_bytes(graph.SerializeToString())
    ends = {"input_tensors": {"words": "words", "default": "default"}, "output_tensors": {"found": "found"}}
    assert "the node table (HashTableV2) is a hash table" in refused("export_frozen_graph", path, **ends)


def test_a_tensor_that_is_not_there_is_named(refused, zoo):
    graph = zoo / "vww_mobilenetv1_025_96_gray_slim/person_detection_frozen_graph.pb"
    ends = {**ENDS, "output_tensors": {"scores": "Predictions"}}
    assert "Predictions" in refused("export_frozen_graph", graph, **ends)


def test_a_signature_that_is_not_there_is_answered_with_those_that_are(refused, zoo):
    path = zoo / "mlperf_tiny_kws01_dscnn/kws_ref_model"
    assert "there are: serving_default" in refused("export_saved_model", path, tags=["serve"], signature="predict")


def test_a_folder_that_is_no_saved_model_is_refused(refused, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    assert str(folder) in refused("export_saved_model", folder, tags=["serve"], signature="serving_default")


def test_an_option_that_is_missing_is_named(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    line = refused("export_saved_model", tmp_path / "empty", tags=["serve"])
    assert line == "error: broken: --options lacks `signature`"


def test_a_shape_that_differs_names_both_sides(refused, zoo):
    card = {"inputs": [{"shape": [1, 64, 64, 3]}]}
    line = refused("export_keras", zoo / "mlperf_tiny_ic01_resnet/pretrainedResnet.h5", card)
    assert "[1, 64, 64, 3]" in line and "32, 32, 3" in line


def lambda_model(environment_python, tmp_path, write):
    """Write a Keras file with a Lambda layer that would make a file named `ran`."""
    import subprocess

    code = f"import os; os.environ['TF_USE_LEGACY_KERAS'] = '1'\nimport pathlib\n{write}"
    subprocess.run([environment_python("tf2"), "-c", code], cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("name", "package"), [("keras2.h5", "tf_keras"), ("keras3.h5", "keras"), ("keras3.keras", "keras")]
)
def test_a_lambda_layer_is_refused_by_name_and_never_runs(refused, environment_python, tmp_path, name, package):
    lambda_model(
        environment_python,
        tmp_path,
        f"import {package} as keras\n"
        "layer = keras.layers.Lambda(lambda x: (pathlib.Path('ran').touch(), x)[1], name='backdoor')\n"
        "model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1), layer])\n"
        f"model.save('{name}'); pathlib.Path('ran').unlink(missing_ok=True)\n",
    )
    assert "backdoor" in refused("export_keras", tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_weights_alone_are_refused(refused, environment_python, tmp_path):
    lambda_model(
        environment_python,
        tmp_path,
        "import tf_keras as keras\nmodel = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])\n"
        "model.save_weights('weights.h5')\n",
    )
    assert "weights only" in refused("export_keras", tmp_path / "weights.h5")


def test_a_model_that_tensorflow_cannot_run_on_a_cpu_says_so(zoo, workflow):
    target = "results/samplenet_frozen/main.float32.tflite"
    process = workflow.run(target, config=[f'mirrors=["{zoo}"]'], check=False)
    lines = {line for line in process.stdout.splitlines() if line.startswith("error: ")}
    assert len(lines) == 1 and "only supports NHWC" in lines.pop()
    assert not workflow.file(target).exists()
    shutil.rmtree(workflow.folder)
