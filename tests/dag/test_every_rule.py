"""Whatever the outputs of rules look like is refused in one line, or can be made of what there is."""

import json

import pytest
from conftest import REPOSITORY
from parsed import house, parsed

from zoomill import cards
from zoomill.yaml_file import load_yaml

# What a card may have and its rules depend on.
OPTIONAL = ("tflite", "calibration", "evaluation", "drop", "toco", "tfjs", "golden", "graphs", "postprocess")
NAMES = {
    "graph": ["main", "inference", "layers", "detect_cut", "detect_regular", "detect_own"],
    "variant": [*cards.VARIANTS, "uint16", "uint8", "planned"],
    "purpose": ["calibration", "evaluation"],
}
SETTINGS = {
    "the default configuration": {},
    "all formats": {
        "tflite": list(cards.VARIANTS),
        "tfjs": ["float32", "float16", "uint16", "uint8", "planned"],
        "openvino": ["float32"],
        "c_arrays": list(cards.VARIANTS),
        "browser": True,
    },
    "nothing but TFLite by the first TOCO": {"tfjs": [], "toco": "tf1", "evaluate": False, "browser": False},
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
    """Return the text of one card of each class, those of the catalogue first."""
    catalogue = {path.stem: load_yaml(path) for path in sorted((REPOSITORY / "models").glob("*.yaml"))}
    classes, first = {}, {}
    for model, card in catalogue.items():
        first.setdefault(card["source"]["kind"], card)
        has = {key: sorted(card[key]) if key in ("drop", "toco", "tfjs") else key for key in OPTIONAL if key in card}
        classes.setdefault((card["source"]["kind"], json.dumps(has)), model)
    chosen = {model: catalogue[model] for model in classes.values()}
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


def test_what_an_output_looks_like_is_refused_in_one_line_or_can_be_made(rules):
    faults = {}
    for target in rules.targets(NAMES):
        refusal = rules.refusal(target)
        assert refusal is None or (refusal.startswith(f"{target}: ") and "\n" not in refusal)
        if refusal is None and (fault := rules.fault(target)):
            model = target.split("/")[1]
            faults.setdefault((target.replace(model, "*"), fault.replace(model, "*")), []).append(model)
    assert not faults, "\n".join(f"{target}: {fault}: {models}" for (target, fault), models in faults.items())
