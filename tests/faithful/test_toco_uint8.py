"""uint8 files of fake-quant graphs, by TOCO, against the Object Detection API's own; and the traps beside the way."""

import json

import figures
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from conftest import REPOSITORY
from flatbuffers import flexbuffers
from PIL import Image
from rows import variant

from faithful.models import GRAPHS
from faithful.processes import HERE, SCRIPTS, run
from zoomill import files
from zoomill.detection import nms, postprocess
from zoomill.errors import UserError
from zoomill.proof import parity
from zoomill.tflite import artifact, detection_parity, runtime, tflite_file

pytestmark = pytest.mark.slow

VARIANT = "toco_uint8"


def ends(path):
    """Return name, dtype, scale and zero point of a file's inputs and of its outputs."""
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    return [
        [(end["name"], end["dtype"], *end["quantization"]) for end in side]
        for side in (interpreter.get_input_details(), interpreter.get_output_details())
    ]


def post_processing(path):
    """Return the op's options, and dtype, scale and zero point of its inputs."""
    model = tflite_file.read(path)
    graph = model.subgraphs[0]
    (operator,) = (o for o in graph.operators if tflite_file.operator_name(model, o) == postprocess.OP)
    tensors = [graph.tensors[index] for index in operator.inputs]
    read = [(tensor.type, float(tensor.quantization.scale[0]), tensor.quantization.zeroPoint[0]) for tensor in tensors]
    return flexbuffers.Loads(bytes(operator.customOptions)), read


def test_a_detector_is_stored_as_the_object_detection_apis_own_is(fake_quant_shapes, toco, zoo):
    ours = toco("2.17.1", fake_quant_shapes, "ours", "detect_regular", VARIANT).artifact
    theirs = zoo / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29/detect.tflite"
    assert ends(ours) == ends(theirs)
    assert ends(ours)[0] == [("normalized_input_image_tensor", np.uint8, 0.0078125, 128)]
    assert [dtype for _, dtype, *_ in ends(ours)[1]] == [np.float32] * 4
    assert tflite_file.operators(tflite_file.read(ours)) == tflite_file.operators(tflite_file.read(theirs))
    (our_options, our_inputs), (their_options, their_inputs) = post_processing(ours), post_processing(theirs)
    later = {"use_regular_nms", "detections_per_class", "_support_output_type_float_in_quantized_op"}
    assert set(our_options) - set(their_options) == later and set(their_options) <= set(our_options)
    assert [dtype for dtype, *_ in our_inputs] == [dtype for dtype, *_ in their_inputs]
    assert our_inputs[1:] == their_inputs[1:]  # scores 0 to 255/256, and the same anchors at the far ends


@pytest.mark.parametrize("graph", ["detect_regular", "detect_fast"])
def test_a_detector_finds_what_its_source_finds(fake_quant_shapes, toco, graph):
    path = toco("2.17.1", fake_quant_shapes, "ours", graph, VARIANT).artifact
    model, limits = fake_quant_shapes, {"score": 0.05, "unmatched": 0}
    verdict, _ = detection_parity.of_file(path, model.contract(graph), model.golden, model.anchors, limits)
    assert verdict.failures == []
    found = verdict.figures["decision"]
    assert found["matched"] == found["expected"] >= 20
    assert found["surplus"] == 0 and found["score_difference"] < 0.05


@pytest.mark.parametrize("graph", GRAPHS)
def test_first_and_last_toco_and_both_exporters_agree(fake_quant_shapes, toco, graph):
    ways = ("1.13.1", "ours"), ("2.17.1", "ours"), ("2.17.1", "original")
    runs = []
    for release, route in ways:
        loaded = runtime.Artifact(toco(release, fake_quant_shapes, route, graph, VARIANT).artifact)
        contract = fake_quant_shapes.contract(graph)
        outputs = [loaded(contract, feed) for feed in parity.feeds(contract, fake_quant_shapes.golden)]
        if graph != "detect_cut":
            options = postprocess.Options(**contract["postprocess"])
            outputs = [vars(nms.of_outputs(one, options)) for one in outputs]
        runs.append(outputs)
    for other in runs[1:]:
        for expected, found in zip(runs[0], other, strict=True):
            for name in expected:
                np.testing.assert_array_equal(found[name], expected[name], name)


def test_a_classifier_of_integers_gives_the_probabilities_of_its_source(
    fake_quantise, environment_python, workshop, tmp_path
):
    starter, checkpoint = REPOSITORY / "starter", workshop / "sources/fake_quant_digits/model.ckpt"
    images = sorted((starter / "digits/golden").glob("*.png"))
    inputs = np.stack([np.asarray(Image.open(path).resize((16, 16), Image.Resampling.BILINEAR)) for path in images])
    scaled = (inputs[..., None] / 127.5 - 1).astype(np.float32)
    fake_quantise(starter / "digits_slim/model.ckpt-2000", checkpoint, "input:0", scaled)
    card = {"inputs": [{"shape": [1, 16, 16, 1], "value_range": [-1, 1]}], "outputs": [], "labels": []}
    tensors = {"probabilities": "DigitsNet/Predictions/Reshape_1", "logits": "DigitsNet/SpatialSqueeze"}
    flags = ["--model", "digits", "--card", json.dumps({**card, "label_offset": 0}), "--golden-images", *images]
    options = {"graph": f"{checkpoint.name}.meta", "checkpoint": checkpoint.name, "variables": "raw"}
    options |= {"input_tensors": {"input": "input"}, "output_tensors": tensors}
    flags += ["--source", checkpoint.parent, "--options", json.dumps(options)]
    run(environment_python("tf2"), SCRIPTS / "export_tf1_checkpoint.py", *flags, "--output-dir", tmp_path)

    convert = ["--graph", tmp_path / "graph.pb", "--contract", tmp_path / "contract.json", "--variant", VARIANT]
    convert += ["--output", tmp_path / "raw.tflite"]
    convert += ["--output-log", tmp_path / "log", "--output-counts", tmp_path / "counts.json"]
    run(environment_python("toco"), SCRIPTS / "run_toco.py", *convert)
    contract, path = files.read_json(tmp_path / "contract.json"), tmp_path / "digits.tflite"
    artifact.finish(tmp_path / "raw.tflite", contract, variant(VARIANT), path)

    starts, stops = ends(path)
    assert starts == [("input", np.uint8, 0.0078125, 128)]
    assert [(name, dtype) for name, dtype, *_ in stops] == [("probabilities", np.uint8), ("logits", np.uint8)]
    with np.load(tmp_path / "golden.npz") as golden:
        found = figures.of_artifact(runtime.Artifact(path), contract, golden)
    assert found["probabilities"]["max_abs"] < 0.02
    assert found["logits"]["max_abs"] < 0.03 * found["logits"]["peak"]


def test_the_same_graph_gives_the_same_bytes(fake_quant_shapes, environment_python, tmp_path):
    for name in ("one", "other"):
        convert(environment_python("toco"), fake_quant_shapes, "detect_regular", tmp_path / name)
    one, other = (tmp_path / name / "detect_regular.tflite" for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


def convert(python, model, graph, folder, *flags):
    """Convert our graph by TOCO of TensorFlow 2.17.1 to uint8."""
    contract = model.contract_path(graph)
    outputs = ["--output", folder / "raw.tflite", "--output-log", folder / "log", "--output-counts", folder / "counts"]
    settings = ["--contract", contract, "--variant", VARIANT, *outputs, *flags]
    run(python, SCRIPTS / "run_toco.py", "--graph", model.graph("ours", graph), *settings)
    artifact.finish(folder / "raw.tflite", files.read_json(contract), variant(VARIANT), folder / f"{graph}.tflite")


def test_int8_that_toco_silently_leaves_in_float_is_refused(fake_quant_shapes, environment_python, tmp_path):
    paths = fake_quant_shapes.graph("ours", "detect_cut"), fake_quant_shapes.contract_path("detect_cut")
    run(environment_python("toco"), HERE / "int8_by_toco.py", *paths, tmp_path / "written.tflite")
    with pytest.raises(UserError, match="weights are float32"):
        artifact.finish(tmp_path / "written.tflite", files.read_json(paths[1]), variant(VARIANT), tmp_path / "a")


def test_int8_that_no_runtime_can_prepare_is_refused(fake_quant_shapes, environment_python, tmp_path):
    """Weights of a checkpoint trained with fake quantisation are asymmetric, which int8 kernels do not know."""
    paths = fake_quant_shapes.graph("ours", "detect_cut"), fake_quant_shapes.contract_path("detect_cut")
    run(environment_python("tf2"), HERE / "int8_by_tensorflow.py", *paths, tmp_path / "written.tflite")
    with pytest.raises(UserError, match="LiteRT cannot load it"):
        artifact.finish(tmp_path / "written.tflite", files.read_json(paths[1]), variant("int8_io"), tmp_path / "a")
