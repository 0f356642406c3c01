"""The programs written for a model do what zoomill does itself, in Python and in JavaScript."""

import importlib.util
import json
import subprocess

import numpy as np
import pytest
from conftest import REPOSITORY, node
from PIL import Image

from zoomill import files
from zoomill.detection import decode
from zoomill.errors import UserError
from zoomill.inputs.preprocess import Preprocess
from zoomill.pages import decoder_programs, output_kind

TEMPLATES = REPOSITORY / "scripts/zoomill/pages/templates"
PICTURE = {
    "name": "image",
    "tensor": "image",
    "dtype": "float32",
    "shape": [1, 12, 12, 3],
    "layout": "NHWC",
    "colour": "RGB",
    "value_range": [-1, 1],
}
NMS = {
    "max_detections": 20,
    "max_classes_per_detection": 1,
    "detections_per_class": 8,
    "use_regular_nms": True,
    "nms_score_threshold": 0.1,
    "nms_iou_threshold": 0.5,
    "num_classes": 4,
    "y_scale": 10.0,
    "x_scale": 10.0,
    "h_scale": 5.0,
    "w_scale": 5.0,
}
HEAD = {"kind": "yolo", "anchors": [[0.2, 0.3], [0.5, 0.4]], "classes": 3, "scale_x_y": 1.1}


def output(name, *shape, **more):
    return {"name": name, "tensor": name, "dtype": "float32", "shape": [1, *shape], "meaning": f"the {name}", **more}


def contract(*outputs, **more):
    parts = {"inputs": [PICTURE], "labels": ["ant", "bee", "cat"], "label_offset": 0}
    return {"model": "small", "graph": "main", "outputs": list(outputs), **parts, **more}


def heads(activation):
    sizes = ((3, 4), (6, 8))
    outputs = [
        output(f"head_{index}", *size, 16, decode={**HEAD, "activation": activation})
        for index, size in enumerate(sizes)
    ]
    return contract(*outputs)


def ssd(**options):
    outputs = output("box_encodings", 60, 4), output("class_predictions", 60, 5)
    return contract(*outputs, label_offset=1, postprocess={**NMS, **options})


def scores(random, shape):
    return (random.random(shape) ** 3).astype(np.float32)


def ssd_outputs(random):
    encodings = random.normal(0, 1, (1, 60, 4)).astype(np.float32)
    return {"box_encodings": encodings, "class_predictions": scores(random, (1, 60, 5))}


def yolo_outputs(random):
    corners = random.random((1, 50, 2)) * 0.6
    rows = np.concatenate(
        [corners, corners + 0.1 + 0.3 * random.random((1, 50, 2)), scores(random, (1, 50, 4))], axis=2
    )
    return {"detections": rows.astype(np.float32)}


def head_outputs(random):
    return {
        f"head_{i}": random.normal(0, 1, (1, *size, 16)).astype(np.float32) for i, size in enumerate(((3, 4), (6, 8)))
    }


def yolox_outputs(random):
    cells = random.normal(0, 1, (1, 21, 4)), scores(random, (1, 21, 4))
    return {"cells": np.concatenate(cells, axis=2).astype(np.float32)}


DETECTORS = {
    "ssd_regular": (ssd(), "ssd", ssd_outputs),
    "ssd_fast": (ssd(use_regular_nms=False), "ssd", ssd_outputs),
    "ssd_fast_with_two_classes_a_box": (ssd(use_regular_nms=False, max_classes_per_detection=2), "ssd", ssd_outputs),
    "yolo": (contract(output("detections", 50, 8)), "yolo", yolo_outputs),
    "logistic_heads": (heads("logistic"), "yolo", head_outputs),
    "softmax_heads": (heads("softmax"), "yolo", head_outputs),
    "yolox": (contract(output("cells", 21, 8), inputs=[{**PICTURE, "shape": [1, 32, 32, 3]}]), "yolox", yolox_outputs),
    "new_coords_heads": (
        heads("none"),
        "yolo",
        lambda random: {k: abs(v) / 3 for k, v in head_outputs(random).items()},
    ),
}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes the programs of a contract and returns their folder."""

    def programs(given, task, anchors=(), preprocess=None, options=None):
        card = {"title": 'a "small" model', "task": task, "preprocess": preprocess or {}, "decode": options or {}}
        known = decoder_programs.facts(given, card)
        for name in ("decode.js", "decode.py"):
            files.write_bytes(tmp_path / name, decoder_programs.render(TEMPLATES / f"{name}.jinja", known).encode())
        files.write_json(tmp_path / "decode.json", decoder_programs.data(given, anchors))
        files.write_json(tmp_path / "package.json", {"type": "module"})
        return tmp_path

    return programs


def in_python(folder):
    """Return the module decode.py."""
    spec = importlib.util.spec_from_file_location("decode", folder / "decode.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_node(folder, outputs, *options):
    """Return what decode() of decode.js makes of outputs."""
    given = {name: np.asarray(value, np.float64).ravel().tolist() for name, value in outputs.items()}
    return of_program(folder, "decode", given, *options)


def of_program(folder, function, *given):
    """Return what a function of decode.js makes of arguments, in which objects hold arrays."""
    files.write_json(folder / "given.json", list(given))
    program = f"""
        import given from "./given.json" with {{ type: "json" }};
        import {{ {function} }} from "./decode.js";
        const arrays = ([name, value]) => [name, Float32Array.from(value)];
        const objects = (one) => one === Object(one) && !Array.isArray(one);
        const read = (one) => (objects(one) ? Object.fromEntries(Object.entries(one).map(arrays)) : one);
        console.log(JSON.stringify({function}(...given.map(read))));
    """
    (folder / "main.js").write_text(program)
    process = subprocess.run([node(), "main.js"], cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


@pytest.fixture
def grid(tmp_path):
    """Path and content of 60 anchors."""
    centres = np.random.default_rng(1).random((60, 2))
    values = np.concatenate([centres, np.full((60, 2), 0.3)], axis=1).astype(np.float32)
    np.save(tmp_path / "anchors.npy", values)
    return tmp_path / "anchors.npy", values


@pytest.mark.parametrize("name", DETECTORS)
def test_boxes_are_those_of_zoomill_in_both_languages(name, write, grid):
    given, kind, make = DETECTORS[name]
    path, values = grid
    options = {"kind": kind} if kind == "yolox" else {}
    if kind != "ssd":
        given = {**given, "postprocess": {"nms_score_threshold": 0.001}}
    folder = write(given, "object-detection", [path] if kind == "ssd" else (), options=options)
    read = decode.decoder(given, values, kind)
    for seed in range(3):
        outputs = make(np.random.default_rng(seed))
        expected = read(outputs)
        assert len(expected.scores) > 5
        for found in (in_python(folder).decode(outputs), in_node(folder, outputs)):
            assert [one["class"] for one in found] == expected.classes.tolist()
            np.testing.assert_allclose([one["score"] for one in found], expected.scores, rtol=1e-5)
            np.testing.assert_allclose([one["box"] for one in found], expected.boxes, rtol=1e-4, atol=1e-6)
            names = [*given["labels"], "3"]  # the fourth class has no name
            assert [one["label"] for one in found] == [names[number] for number in expected.classes]


@pytest.mark.parametrize("name", ["ssd_regular", "yolo"])
def test_a_higher_threshold_and_fewer_detections_can_be_asked_for(name, write, grid):
    given, kind, make = DETECTORS[name]
    folder = write(given, "object-detection", [grid[0]] if kind == "ssd" else ())
    outputs = make(np.random.default_rng(0))
    some = [one for one in in_python(folder).decode(outputs) if one["score"] >= 0.5][:3]
    assert len(some) == 3
    assert in_python(folder).decode(outputs, 0.5, 3) == some
    assert [one["class"] for one in in_node(folder, outputs, 0.5, 3)] == [one["class"] for one in some]


@pytest.mark.parametrize("name", ["yolo", "yolox", "logistic_heads"])
def test_a_card_says_how_boxes_are_suppressed(name, write):
    given, kind, make = DETECTORS[name]
    options = {"nms_score_threshold": 0.02, "nms_iou_threshold": 0.2, "max_detections": 6, "best_class": True}
    given = {**given, "postprocess": options}
    scored = {"kind": kind, "nms_score_threshold": 0.001}  # of the figure alone
    folder = write(given, "object-detection", options=scored)
    outputs = make(np.random.default_rng(5))
    expected = decode.decoder({**given, "postprocess": {}}, None, kind, **options)(outputs)
    for found in (in_python(folder).decode(outputs), in_node(folder, outputs)):
        assert [one["class"] for one in found] == expected.classes.tolist()
        np.testing.assert_allclose([one["score"] for one in found], expected.scores, rtol=1e-5)


def test_heads_that_are_read_in_different_ways_are_refused():
    given = heads("logistic")
    given["outputs"][1]["decode"]["activation"] = "none"
    with pytest.raises(UserError, match="small: its YOLO heads are read in different ways"):
        decoder_programs.facts(given, {"title": "", "task": "object-detection", "preprocess": {}, "decode": {}})


def test_detections_of_a_network_with_nms_keep_their_rows_and_get_names(write):
    parts = (
        ("detection_boxes", (5, 4)),
        ("detection_classes", (5,)),
        ("detection_scores", (5,)),
        ("num_detections", ()),
    )
    given = contract(*(output(name, *shape) for name, shape in parts))
    outputs = {
        "detection_boxes": np.arange(20, dtype=np.float32).reshape(1, 5, 4) / 20,
        "detection_classes": np.float32([[3, 1, 2, 1, 1]]),  # counted from 1
        "detection_scores": np.float32([[0.875, 0.75, 0.5, 0, 0]]),
        "num_detections": np.float32([3]),
    }
    folder = write(given, "object-detection")
    for found in (in_python(folder).decode(outputs), in_node(folder, outputs)):
        assert [(one["label"], one["class"], one["score"]) for one in found] == [
            ("cat", 2, 0.875),
            ("ant", 0, 0.75),
            ("bee", 1, 0.5),
        ]
        np.testing.assert_allclose(found[1]["box"], outputs["detection_boxes"][0, 1])
    assert len(in_node(folder, outputs, 0.6)) == 2


@pytest.mark.parametrize("background", [0, 1])
def test_classes_come_by_falling_score_without_the_background(background, write):
    given = contract(output("probabilities", 3 + background), label_offset=-background)
    outputs = {"probabilities": np.float32([[0.9] * background + [0.25, 0.25, 0.5]])}
    folder = write(given, "image-classification")
    for found in (in_python(folder).decode(outputs, 2), in_node(folder, outputs, 2)):
        assert [(one["label"], one["class"], one["score"]) for one in found] == [("cat", 2, 0.5), ("ant", 0, 0.25)]


def test_of_several_outputs_the_one_that_is_scored_has_the_classes():
    given = contract(output("logits", 3), output("probabilities", 3), output("features", 9))
    card = {"task": "image-classification", "decode": {}, "output": None}
    assert output_kind.kind(output_kind.scored(given, card), card) == "named"
    chosen = output_kind.scored(given, {**card, "output": "probabilities"})
    assert output_kind.kind(chosen, card) == "classes" and chosen["outputs"][0]["name"] == "probabilities"
    assert len(output_kind.scored(given, {**card, "task": "other", "output": "probabilities"})["outputs"]) == 3


def test_heads_without_a_way_to_suppress_boxes_are_only_named():
    given = ssd()
    del given["postprocess"]
    assert output_kind.kind(given, {"task": "object-detection", "decode": {}}) == "named"


def test_other_outputs_have_their_names_and_meanings(write):
    given = contract(output("left", 2), output("right", 1, 3))
    outputs = {"left": np.float32([[1, 2]]), "right": np.float32([[[3, 4, 5]]])}
    folder = write(given, "other")
    assert in_python(folder).decode(outputs)["right"]["values"].tolist() == [[[3, 4, 5]]]
    found = in_node(folder, outputs)["right"]
    assert (found["meaning"], found["shape"]) == ("the right", [1, 1, 3])
    assert list(found["values"].values()) == [3, 4, 5]


FITS = {
    "stretch": {},
    "crop": {"fit": "crop", "part": 0.875},
    "letterbox": {"fit": "letterbox"},
    "letterbox_in_the_middle": {"fit": "letterbox", "centred": True, "padding": 127.5},
}


@pytest.mark.parametrize("options", FITS.values(), ids=FITS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"colour": "GRAY", "shape": [1, 10, 14, 1], "value_range": [0, 1]},
        {"colour": "BGR", "dtype": "uint8", "value_range": [0, 255]},
        {"layout": "NCHW", "shape": [1, 3, 9, 12]},
        {"value_range": [[-2.0, -1.0, 0.0], [2.0, 1.0, 3.0]]},
    ],
    ids=["rgb", "grey", "bgr_uint8", "nchw", "range_of_each_channel"],
)
def test_pictures_become_the_same_input_in_python(options, changes, write):
    promise = {**PICTURE, **changes}
    folder = write(contract(output("y", 2), inputs=[promise]), "other", preprocess=options)
    pixels = np.random.default_rng(0).integers(0, 256, (31, 44, 3), np.uint8)
    expected = Preprocess(promise, **options)(pixels)
    found = in_python(folder).prepare(Image.fromarray(pixels))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_without_antialias_a_picture_is_interpolated_between_four_pixels(write):
    folder = write(contract(output("y", 2)), "other", preprocess={"antialias": False})
    pixels = np.random.default_rng(0).integers(0, 256, (31, 44, 3), np.uint8)
    expected = Preprocess(PICTURE, antialias=False)(pixels)
    found = in_python(folder).prepare(Image.fromarray(pixels))
    assert abs(found - expected).max() <= 1.01 * 2 / 255  # fixed-point numbers may round to the other value


@pytest.mark.parametrize("centred", [False, True])
def test_boxes_in_a_letterbox_are_put_back_into_the_picture(centred, write):
    """The contract says how the picture is prepared; the card says nothing."""
    options = {"fit": "letterbox", "centred": centred}
    given = contract(output("detections", 50, 8), inputs=[{**PICTURE, "preprocess": options}])
    folder = write(given, "object-detection")
    box = np.array([[0.1, 0.2, 0.3, 0.4]])
    expected = Preprocess(PICTURE, **options).box_to_picture(box, (30, 44))
    np.testing.assert_allclose(in_python(folder).to_picture(box[0].tolist(), 30, 44), expected[0])
    np.testing.assert_allclose(of_program(folder, "toPicture", box[0].tolist(), 30, 44), expected[0])


def test_inputs_that_are_no_pictures_are_given_by_name(write):
    promise = {**PICTURE, "name": "window", "shape": [1, 6], "layout": None, "colour": None, "value_range": None}
    module = in_python(write(contract(output("y", 2), inputs=[promise]), "anomaly-detection"))
    assert module.prepare({"window": range(6)})["window"].shape == (1, 6)


def test_the_programs_of_two_runs_are_the_same_bytes(write):
    given = contract(output("probabilities", 3))
    first, second = (
        {path.name: path.read_bytes() for path in write(given, "image-classification").glob("[a-z]*")} for _ in "12"
    )
    assert first == second and "decode.py" in first
