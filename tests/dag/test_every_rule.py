"""Whatever the outputs of rules look like is refused in one line, or can be made of what there is."""

import json

import pytest
from conftest import REPOSITORY
from parsed import house, parsed

from zoomill.plan import accelerators, gates, otherwise, variants
from zoomill.yaml_file import load_yaml

# What a card may have and its rules depend on.
OPTIONAL = ("tflite", "calibration", "evaluation", "drop", "toco", "tfjs", "golden", "graphs", "postprocess")
NAMES = {
    "graph": ["main", "inference", "layers", "detect_cut", "detect_regular", "detect_own", "source"],
    "variant": [*variants.names(format="tflite"), "uint16", "uint8", "planned", "given"],
    "purpose": ["calibration", "evaluation"],
    "compiled": ["", ".vela", ".vela-u65-256"],
    "kernels": ["", ".micro"],
    "otherwise": [*otherwise.NAMES, "until_use_regular_nms", "until_max_detections"],
}
SETTINGS = {
    "the default configuration": {},
    "all formats": {
        "tflite": list(variants.names(format="tflite")),
        "tfjs": ["float32", "float16", "uint16", "uint8", "planned"],
        "openvino": ["float32"],
        "c_arrays": list(variants.names(format="tflite", no_micro="")),
        "browser": True,
    },
    "all gates": {"deploy": [*gates.NAMES], "accelerators": [*accelerators.NAMES]},
    "the first TOCO": {"toco": "tf1", "evaluate": False},
}
SAMPLES = {"dataset": "digits", "samples": {"first": 0, "last": 9}}
EVALUATION = {**SAMPLES, "metric": {"name": "top_k"}}
DROP = {"int8": 0.01}
# Classes that the catalogue lacks: a kind of source and what its card has.
WRITTEN = {
    "checkpoint_ranges": ("tf1_checkpoint", {"toco": {"default_ranges": [-1, 6]}}),
    "darknet_listed": ("darknet", {"calibration": SAMPLES, "tflite": ["int8_io", "tf_int8"]}),
    "detector_evaluated": ("tf1_detection", {"evaluation": EVALUATION}),
    "detector_fake_quant": ("tf1_detection", {"toco": {"fake_quant": True}, "calibration": SAMPLES}),
    "detector_listed": ("tf1_detection", {"tflite": ["float16", "tf_int8"], "calibration": "random"}),
    "detector_own": ("tf1_detection", {"graphs": {"detect_own": {}}, "toco": {"default_ranges": [-1, 6]}}),
    "frozen_evaluated": ("frozen_graph", {"evaluation": EVALUATION}),
    "frozen_fake_quant": ("frozen_graph", {"toco": {"fake_quant": True}, "calibration": SAMPLES}),
    "keras_layers": ("keras", {"tfjs": {"layers": True}}),
    "onnx_random": ("onnx", {"calibration": "random", "evaluation": EVALUATION, "drop": DROP}),
    "pytorch_evaluated": ("pytorch", {"evaluation": EVALUATION}),
    "pytorch_bare": ("pytorch", {}),
    "saved_model_calibrated": ("saved_model", {"calibration": SAMPLES, "drop": DROP}),
    "tfjs_evaluated": ("tfjs", {"evaluation": EVALUATION}),
    "tfjs_full": ("tfjs", {"evaluation": EVALUATION, "calibration": SAMPLES, "drop": DROP}),
    "tflite_full": ("tflite", {"evaluation": EVALUATION, "calibration": SAMPLES, "drop": DROP}),
}


def texts():
    """Return the text of one card of each class, those of the catalogue first, and of all starter models."""
    catalogue = {path.stem: load_yaml(path) for path in sorted((REPOSITORY / "models").glob("*.yaml"))}
    classes, first = {}, {}
    for model, card in catalogue.items():
        first.setdefault(card["source"]["kind"], card)
        has = {key: sorted(card[key]) if key in ("drop", "toco", "tfjs") else key for key in OPTIONAL if key in card}
        classes.setdefault((card["source"]["kind"], json.dumps(has)), model)
    starters = load_yaml(REPOSITORY / "starter/config.yaml")["models"]
    chosen = {model: catalogue[model] for model in [*classes.values(), *starters]}
    for model, (kind, has) in WRITTEN.items():
        chosen[model] = {key: first[kind][key] for key in first[kind].keys() - {*OPTIONAL, "c_name"}} | has
    return {model: json.dumps(card) for model, card in chosen.items()}


@pytest.fixture(scope="module", params=SETTINGS.values(), ids=SETTINGS)
def rules(request, tmp_path_factory):
    """The parsed rules with one card of each class, all of them configured."""
    chosen = texts()
    folder = house(REPOSITORY, tmp_path_factory.mktemp("house") / "house", chosen)
    with parsed(folder, {"models": list(chosen), "accept_new_digests": True, **request.param}) as found:
        yield found


@pytest.fixture(scope="module")
def refusals(rules):
    """``{target: why it is refused, or None}`` of all that outputs look like."""
    return {target: rules.refusal(target) for target in rules.targets(NAMES)}


@pytest.fixture(scope="module")
def accepted(refusals):
    """The targets that are not refused."""
    return [target for target, reason in refusals.items() if reason is None]


def test_what_is_not_refused_can_be_made_of_what_there_is(rules, accepted):
    faults = {}
    for target in accepted:
        if fault := rules.fault(target):
            model = target.split("/")[1] if "/" in target else target
            faults.setdefault((target.replace(model, "*"), fault.replace(model, "*")), []).append(model)
    found = [f"{target}: {fault}: {models}" for (target, fault), models in faults.items()]
    assert not found, "\n".join(found)


def test_a_refusal_is_one_line_that_names_the_target(refusals):
    for target, reason in refusals.items():
        assert reason is None or (reason.startswith(f"{target}: ") and "\n" not in reason)


def test_of_every_output_there_is_one_that_is_not_refused(rules, accepted):
    assert rules.unused(accepted) == []


def test_what_is_refused_is_not_made_on_the_way_but_for_float32(rules, refusals, accepted):
    """A card's list may leave float32 out, which others are derived from."""
    for target in accepted:
        for path in rules.inputs(target) if rules.fault(target) is None else []:
            assert refusals.get(path) is None or path.endswith(".float32.tflite"), (target, refusals[path])
