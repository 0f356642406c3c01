"""A user's mistake is said in one line, before any job starts."""

import json
import subprocess

import pytest
from conftest import REPOSITORY, as_plan
from parsed import house, parsed
from plans import errors, planned

STARTER = "ssd_mobilenet_v1_shapes"


@pytest.mark.parametrize(
    "target, message",
    [
        (
            "results/ssd_mobilenet_v1_shape/detect_cut.float32.tflite",
            f"there is no model ssd_mobilenet_v1_shape; did you mean {STARTER}",
        ),
        (f"results/{STARTER}/detect_fsat.float32.tflite", "detect_fsat; did you mean detect_fast"),
        (f"./results/{STARTER}/detect_fast.flaot16.tflite.json", "flaot16; did you mean float16"),
        (f"results/{STARTER}/detect_fast.flaot16.cc", "flaot16; did you mean float16"),
        (f"results/{STARTER}/detect_cut.float23.openvino.json", "no OpenVINO variant float23; did you mean float32"),
        (f"build/{STARTER}/detect_fsat/graph.pb", "detect_fsat; did you mean detect_fast"),
    ],
    ids=["model", "graph", "variant", "variant of a C array", "variant of an IR", "graph in build"],
)
def test_a_misspelt_target_is_told_the_nearest_names(workflow, target, message):
    (error,) = errors(workflow.run(target, "-n", check=False))
    assert target in error and message in error


@pytest.mark.parametrize(
    ("target", "nearest"),
    [
        ("result/digits_resnet8/main.float32.tflite", "results/digits_resnet8/main.float32.tflite"),
        ("results/digits_resnet8/main.float32.tfjss", "results/digits_resnet8/main.float32.tfjs"),
        ("results/digits_resnet8/main.float32", "results/digits_resnet8/main.float32."),
        ("results/digits_resnet8/provenace.json", "results/digits_resnet8/provenance.json"),
        ("source/digits_resnet8", "sources/digits_resnet8"),
        ("build/digits_resnet8/evaluatoin.csv", "build/digits_resnet8/evaluation.csv"),
        ("results/digits_resnet8/main.int8.vella.tflite", "results/digits_resnet8/main.int8.vela.tflite"),
        ("results/SHA256SUM", "results/SHA256SUMS"),
        ("catalog", "catalogue"),
    ],
)
def test_a_target_that_no_rule_makes_is_told_the_nearest_that_can_be_had(workflow, target, nearest):
    (error,) = errors(workflow.run(target, "-n", check=False))
    assert error.startswith(f"error: {target}: no rule makes it; did you mean {nearest}")


def test_an_absolute_path_is_told_the_target_that_it_leads_to(workflow):
    target = "results/digits_resnet8/main.float32.tflite"
    (error,) = errors(workflow.run(workflow.file(target), "-n", check=False))
    assert error.endswith(f": no rule makes it; did you mean {target}?")


@pytest.mark.parametrize("target", ["digits_resnet8", "results/digits_resnet8", "build/digits_resnet8"])
def test_a_model_as_target_is_told_the_front_door(workflow, target):
    workflow.file("results/digits_resnet8").mkdir(parents=True)
    (error,) = errors(workflow.run(target, "-n", check=False))
    assert error.endswith(": is no target; all that config.yaml asks for of it: ./zoomill build digits_resnet8")


def snakemake(*arguments, folder=REPOSITORY):
    command, env = as_plan(["snakemake", "-n", *arguments])
    return subprocess.run(command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_missing_file_of_configuration_is_told(repository_copy):
    (error,) = errors(snakemake("--configfile", "mine.yaml"))
    assert error == "error: mine.yaml: there is no such file of configuration; check --configfile"
    (repository_copy / "config.yaml").unlink()
    (error,) = errors(snakemake(folder=repository_copy))
    assert error.startswith("error: config.yaml: is not in this folder; ")


def test_a_target_that_config_takes_for_a_setting_is_told_the_order():
    (error,) = errors(snakemake("--config", "evaluate=False", "verify"))
    assert error.startswith("error: verify: is no KEY=VALUE of --config; name targets first: snakemake -j4 verify ")


@pytest.mark.parametrize("end", ["", ".json", "/model.xml"])
def test_an_ir_of_a_graph_with_post_processing_is_refused_with_the_reason(workflow, end):
    target = f"results/{STARTER}/detect_regular.float32.openvino{end}"
    (error,) = errors(workflow.run(target, "-n", check=False))
    assert error.startswith(f"error: {target}: cannot be had: OpenVINO lacks TFLite_Detection_PostProcess; take ")


def test_uint8_by_toco_is_refused_where_the_card_gives_no_ranges(workflow):
    target = f"results/{STARTER}/detect_regular.toco_uint8.tflite"
    (error,) = errors(workflow.run(target, "-n", check=False))
    assert error.startswith(f"error: {target}: cannot be had: TOCO needs ranges: ")


@pytest.mark.parametrize("file", ["results/{}/source.metric.json", "results/{}/main.float32.samples.jsonl"])
def test_figures_are_refused_where_the_card_names_no_evaluation(workflow, file):
    target = file.format("yoloface_50k")
    (error,) = errors(workflow.run(target, "-n", check=False))
    assert error == f"error: {target}: cannot be had: its card has no `evaluation`, samples and a metric"


def test_a_misspelt_variant_of_a_figure_is_told_the_nearest(workflow):
    target = "results/digits_resnet8/main.int9.metric.json"
    (error,) = errors(workflow.run(target, "-n", check=False))
    assert target in error and "int8" in error


@pytest.mark.parametrize("end", ["tflite", "json", "tensors.png"])
def test_int8_mixed_is_refused_where_the_card_has_no_samples(workflow, end):
    target = f"results/tfjs_node_times_two_int/main.int8_mixed.{end}"
    (error,) = errors(workflow.run(target, "-n", check=False))
    assert error.startswith(f"error: {target}: cannot be had: its card has no `calibration`, ")


@pytest.mark.parametrize("end", ["", ".json"])
def test_litert_torch_has_no_way_from_other_sources_than_pytorch(workflow, end):
    target = f"results/digits_onnx/main.torch_float32.tflite{end}"
    (error,) = errors(workflow.run(target, "-n", check=False))
    assert error == (
        f"error: {target}: cannot be had: litert-torch converts sources of kind pytorch only, and this is onnx"
    )


@pytest.mark.parametrize(
    "setting, message",
    [
        ("models=[ssd_mobilenet_v1_shape]", f"there is no model ssd_mobilenet_v1_shape; did you mean {STARTER}"),
        ("tlfite=[float32]", "unknown key tlfite; did you mean tflite"),
        ("tflite=float32", "tflite: 'float32' is no list; write [float32]"),
        ("tfjs=None", "tfjs: 'None' is no list; write []"),
    ],
    ids=["model", "key", "no list", "None"],
)
def test_a_misspelt_configuration_is_told_the_nearest_names(workflow, setting, message):
    (error,) = errors(workflow.run("-n", config=[setting], check=False))
    assert error.startswith("error: config.yaml: ") and message in error


def test_the_value_of_an_option_is_no_target(workflow):
    plan = workflow.run(f"sources/{STARTER}", "-n", "--conda-prefix", "build/envs", check=False)
    assert planned(plan) == {"fetch_source": 1}


def test_a_source_without_a_published_digest_says_how_to_opt_in(workflow):
    target = "results/inception_v1/main.float32.tflite"
    for arguments in ([target, "-n"], ["-n"]):
        (error,) = errors(workflow.run(*arguments, config=["models=[inception_v1]"], check=False))
        assert error.startswith("error: inception_v1: ") and "--config accept_new_digests=True" in error
    assert planned(workflow.run("catalogue", "-n", config=["models=[inception_v1]"])) == {"catalogue": 1}
    plan = workflow.run(target, "-n", config=["accept_new_digests=True"])
    assert planned(plan)["fetch_source"] == 1


def test_a_source_whose_digest_was_kept_needs_no_opting_in(workflow):
    digest = {"inception_v1": {"module.tar.gz": {"sha256": "0" * 64, "size": 1}}}
    workflow.file("sources.lock").write_text(json.dumps(digest))
    assert planned(workflow.run("sources/inception_v1", "-n")) == {"fetch_source": 1}


@pytest.fixture
def edited(repository_copy):
    """Return a function that replaces text in a card of a copy and returns its dry run."""

    def run(before, after):
        path = repository_copy / f"models/{STARTER}.yaml"
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after, 1))
        return snakemake(folder=repository_copy)

    return run


@pytest.mark.parametrize(
    "before, after, message",
    [
        ("licence:", "license:", f"models/{STARTER}.yaml: unknown key license; did you mean licence"),
        ("labels: [", "labels: [[", f"{STARTER}.yaml: is no valid YAML in line "),
    ],
    ids=["key", "YAML"],
)
def test_a_mistake_in_a_card_is_said_with_its_file_and_key(edited, before, after, message):
    (error,) = errors(edited(before, after))
    assert message in error


@pytest.fixture(scope="module")
def refusal(tmp_path_factory):
    """Return a function from a target to why it is refused."""
    models = (STARTER, "digits_onnx", "digits_resnet8", "yolo_shapes", "yoloface_50k")
    texts = {model: (REPOSITORY / f"models/{model}.yaml").read_text() for model in models}
    texts["random"] = texts["yoloface_50k"] + "calibration: random\n"
    with parsed(house(REPOSITORY, tmp_path_factory.mktemp("house") / "house", texts), {"models": [STARTER]}) as rules:
        yield rules.refusal


SHARED = "graphs with TFLite_Detection_PostProcess share that of detect_cut; take it"
NO_CALIBRATION = "its card has no `calibration`, samples that set the ranges of integers"
LAYERS = "layers models are for cards of kind keras that say `tfjs: {layers: true}`"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (
            "results/yolo_shapes/main.int8.tflite",
            "its card lists what can be had, `tflite: [float32, float16, dynamic, ",
        ),
        ("results/yolo_shapes/main.int8.cc", "its card lists what can be had, `tflite: [float32, float16, dynamic, "),
        (
            f"results/{STARTER}/detect_regular.map.json",
            "TensorFlow.js lacks TFLite_Detection_PostProcess; take detect_cut",
        ),
        (
            f"results/{STARTER}/detect_fast.planned.json",
            "TensorFlow.js lacks TFLite_Detection_PostProcess; take detect_cut",
        ),
        (f"results/{STARTER}/inference.map.json", "its card does not say `tfjs: {inference: true}`"),
        (f"build/{STARTER}/inference/graph.pb", "its card does not say `tfjs: {inference: true}`"),
        ("results/digits_onnx/layers.planned.json", LAYERS),
        ("results/digits_resnet8/layers.map.json", "of a layers model there is layers.float32.tfjs alone, which was "),
        (
            "results/digits_resnet8/layers.uint8.tfjs",
            "of a layers model there is layers.float32.tfjs alone, which was ",
        ),
        ("results/digits_resnet8/layers.float32.tfjs.json", "of a layers model there is layers.float32.tfjs alone, "),
        (f"results/{STARTER}/detect_fast.calibration.json", SHARED),
        (f"results/{STARTER}/detect_fast.int8.tensors.png", SHARED),
        (f"results/{STARTER}/detect_fast.int8_mixed.json", SHARED),
        (f"results/{STARTER}/detect_fast.int8.nms.svg", SHARED),
        ("results/digits_resnet8/main.int8.nms.json", "its card's `evaluation` has not the metric `coco`"),
        (f"build/{STARTER}/detect_fast/golden.npz", SHARED),
        ("results/yoloface_50k/main.calibration.json", NO_CALIBRATION),
        ("build/yoloface_50k/calibration.csv", NO_CALIBRATION),
        ("build/random/calibration.csv", "its card says `calibration: random`, which takes no samples"),
        ("build/yoloface_50k/evaluation.csv", "its card has no `evaluation`, samples and a metric"),
        ("build/digits_onnx/main/toco_uint8.tflite", "TOCO needs ranges: "),
    ],
)
def test_what_cannot_be_had_of_a_model_is_refused_with_the_reason(refusal, target, reason):
    assert refusal(target).startswith(f"{target}: cannot be had: {reason}")


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("main/pytorch.onnx", "no file in main/ named pytorch.onnx; there are: graph.pb, contract.json, saved_model, "),
        ("main/grpah.pb", "no file in main/ named grpah.pb; did you mean graph.pb?"),
        ("main/float32.tflite", "no variant of TOCO float32; did you mean toco_float32?"),
        ("detect_cut/graph.pb", "no graph detect_cut; there are: main"),
    ],
)
def test_a_file_that_a_graph_has_not_is_told_those_that_it_has(refusal, file, names):
    target = f"build/digits_onnx/{file}"
    assert refusal(target).startswith(f"{target}: there is {names}")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("detect_regular.float32.tfjs", "TensorFlow.js lacks TFLite_Detection_PostProcess; take detect_cut"),
        ("inference.float32.tfjs", "its card does not say `tfjs: {inference: true}`"),
        ("layers.float32.tfjs", "layers models are for cards of kind keras that say `tfjs: {layers: true}`"),
    ],
)
def test_a_tensorflow_js_model_that_cannot_be_had_is_refused_with_the_reason(workflow, file, reason):
    (line,) = errors(workflow.run(f"results/{STARTER}/{file}", "-n", check=False))
    assert f"results/{STARTER}/{file}: cannot be had: {reason}" in line
