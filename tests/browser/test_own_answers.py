"""What the page guesses of a dropped model, feeds it and makes of its outputs, in Node."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from conftest import REPOSITORY, node

PROGRAM = """
    import fs from "fs";
    import * as answers from "./own_answers.js";
    import * as model from "./own_model.js";
    import * as files from "./own_files.js";
    const give = {
        form: ([input]) => answers.form(input),
        guess: (given) => answers.guess(...given),
        ofContract: (given) => answers.ofContract(...given),
        values: ([pixels, ...given]) => Array.from(model.values(Uint8ClampedArray.from(pixels), ...given)),
        decode: (given) => model.decode(...given),
        read: async ([named]) => {
            const given = Object.entries(named).map(([path, text]) => {
                const file = new File([text], path.split("/").at(-1));
                return Object.defineProperty(file, "webkitRelativePath", { value: path });
            });
            const { name, told } = await files.read(given);
            return { name, told };
        },
    };
    const told = [];
    for (const [name, given] of JSON.parse(fs.readFileSync(0, "utf8"))) {
        try {
            told.push(await give[name](given));
        } catch (error) {
            told.push({ error: error.message });
        }
    }
    console.log(JSON.stringify(told));
"""
INPUT = {"range": None, "colour": None}
FORM = {"layout": "NHWC", "height": 8, "width": 16, "channels": 3}
TOLD = {"labels": None}


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Return a function from pairs of a function and its arguments to what each gives, or its error."""
    folder = tmp_path_factory.mktemp("answers")
    shutil.copytree(REPOSITORY / "web/bed", folder, dirs_exist_ok=True)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "test.js").write_text(PROGRAM)

    def run(*calls):
        command = [node(), "test.js"]
        process = subprocess.run(command, cwd=folder, input=json.dumps(calls), capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)

    return run


def output(name, *shape, values=None, activation=None):
    given = np.zeros(shape).ravel().tolist() if values is None else values
    return {"name": name, "shape": list(shape), "values": given, "activation": activation}


def test_the_form_of_an_input_is_its_shape(call):
    shapes = ([1, 8, 16, 3], [1, 3, 8, 16], [-1, -1, -1, 3], [1, 64], [1, 8, 8, 5])
    found = call(*(["form", [{"name": "x", "shape": shape}]] for shape in shapes))
    assert found[0] == FORM and found[1] == {**FORM, "layout": "NCHW"}
    assert found[2] == {**FORM, "height": None, "width": None}
    assert [one["error"] for one in found[3:]] == [
        f"its input x is {text}: no picture goes in" for text in ("1 × 64", "1 × 8 × 8 × 5")
    ]


ENDS = ("TFLite_Detection_PostProcess", *(f"TFLite_Detection_PostProcess:{number}" for number in (1, 2, 3)))
POST = [output(ENDS[0], 1, 10, 4), output(ENDS[1], 1, 10), output(ENDS[2], 1, 10), output(ENDS[3], 1)]
GUESSES = {
    "probabilities": ([output("p", 1, 3, values=[0.5, 0.25, 0.25])], {"task": "classes", "softmax": False}),
    "logits": ([output("z", 1, 10, values=[-1.0] * 10)], {"task": "classes", "softmax": True}),
    "a picture of tanh": (
        [output("y", 1, 16, 16, 3, activation="tanh")],
        {"task": "picture", "low": -1, "high": 1, "black": -1, "white": 1},
    ),
    "a picture before rows": ([output("y", 1, 3, 16, 16)], {"task": "picture", "black": 0, "white": 1}),
    "a face": ([output("y", 1, 1404), output("sure", 1, 1)], {"task": "landmarks", "output": "y", "dimensions": 2}),
    "points": ([output("y", 1, 21, 3)], {"task": "landmarks", "dimensions": 3}),
    "TensorFlow Lite's boxes": (
        POST,
        {"task": "detections", "boxes": ENDS[0], "scores": ENDS[2], "classes": ENDS[1], "first": 0},
    ),
    "boxes and columns of scores": (
        [output("s", 1, 10, 90), output("b", 1, 10, 1, 4)],
        {"task": "detections", "boxes": "b", "scores": "s", "classes": ""},
    ),
    "a number": ([output("y", 1, 1)], {"task": "values"}),
}


@pytest.mark.parametrize("name", GUESSES)
def test_a_task_is_guessed_from_shapes(call, name):
    tried, expected = GUESSES[name]
    (found,) = call(["guess", [INPUT, FORM, tried, TOLD]])
    assert {key: found[key] for key in expected} == expected


def test_a_label_of_the_background_is_no_label(call):
    tried = [output("p", 1, 3, values=[0.5, 0.25, 0.25])]
    given = [INPUT, FORM, tried, {"labels": ["background", "ant", "bee"]}]
    (found, boxes) = call(["guess", given], ["guess", [INPUT, FORM, POST, {"labels": ["???", "ant"]}]])
    assert (found["labels"], found["first"]) == (["ant", "bee"], 1)
    assert (boxes["labels"], boxes["first"]) == (["ant"], 0)


def test_pixels_become_what_was_answered(call):
    pixels = [255, 0, 51, 255, 0, 102, 255, 255]
    base = {"layout": "NHWC", "colour": "RGB", "low": -1, "high": 1}
    real = {"channels": 3, "dtype": "float32", "quantisation": None}
    bytes_ = {"channels": 3, "dtype": "uint8", "quantisation": {"scale": 1 / 127.5, "zero": 127}}
    cases = [
        (real, base, [1, -1, -0.6, -1, -0.2, 1]),
        (real, {**base, "colour": "BGR"}, [-0.6, -1, 1, 1, -0.2, -1]),
        (real, {**base, "layout": "NCHW"}, [1, -1, -1, -0.2, -0.6, 1]),
        ({**real, "channels": 1}, {**base, "low": 0}, [0.299 + 0.114 / 5, 0.587 * 0.4 + 0.114]),
        (bytes_, base, [255, 0, 51, 0, 102, 255]),
    ]
    for found, (_, _, expected) in zip(call(*(["values", [pixels, *case[:2]]] for case in cases)), cases, strict=True):
        assert found == pytest.approx(expected, abs=1 if max(expected) > 1 else 1e-6)


def test_boxes_come_out_relative_by_falling_score_and_once(call):
    told = {"task": "detections", "boxes": "b", "scores": "s", "classes": "c", "labels": ["ant", "bee"], "first": 1}
    told |= {"order": "xy", "unit": "pixels", "height": 10, "width": 20}
    corners = [2, 1, 10, 5, 2, 1, 10, 6, 0, 0, 20, 10]
    outputs = [output("b", 1, 3, 4, values=corners), output("s", 1, 3, values=[0.5, 0.9, 0.1])]
    outputs.append(output("c", 1, 3, values=[1, 2, 1]))
    columns = {**told, "classes": "", "order": "yx", "unit": "edge"}
    scores = output("s", 1, 3, 2, values=[0.7, 0.8, 0.1, 0.9, 0.2, 0.1])
    near = output("b", 1, 3, 4, values=[0.1, 0.1, 0.5, 0.5, 0.1, 0.1, 0.5, 0.6, 0.7, 0.7, 0.9, 0.9])
    by_number, by_column = call(["decode", [outputs, told, 0.2]], ["decode", [[near, scores], columns, 0.15]])
    assert [(one["label"], one["score"]) for one in by_number] == [("bee", 0.9), ("ant", 0.5)]
    assert by_number[1]["box"] == pytest.approx([0.1, 0.1, 0.5, 0.5])
    # Column 0 is the background, and the second box hides the first, which overlaps it by 0.8.
    assert [(one["label"], one["score"], one["box"]) for one in by_column] == [("ant", 0.9, [0.1, 0.1, 0.5, 0.6])]


def contract(task, **more):
    picture = {"layout": "NHWC", "colour": "BGR", "value_range": [0, 255]}
    return {"inputs": [{**picture, **more}], "outputs": [{"name": "y"}], "task": task, "label_offset": -1}


def test_a_contract_answers_what_it_says_and_leaves_open_what_it_does_not(call):
    guessed = {"task": "classes", "colour": "RGB", "low": 0, "high": 1, "first": 0, "black": 0, "white": 1}
    ends = ["detection_boxes", "detection_scores", "detection_classes", "num_detections"]
    found = call(
        ["ofContract", [contract("image-classification"), guessed, ["y"]]],
        ["ofContract", [contract("image-classification", value_range=None), guessed, ["y"]]],
        ["ofContract", [contract("object-detection"), guessed, ["raw"]]],
        ["ofContract", [contract("object-detection"), guessed, ends]],
    )
    said = ("task", "colour", "low", "high", "first")
    assert [found[0][key] for key in said] == ["classes", "BGR", 0, 255, 1]
    assert found[1:3] == [None, None] and found[3]["boxes"] == "detection_boxes"


def test_labels_are_found_beside_a_model_in_the_usual_forms(call):
    document = json.dumps({"modelTopology": {}, "weightsManifest": [{"paths": ["deep/a.bin"], "weights": []}]})
    model = {"m/model.json": document, "m/deep/a.bin": ""}
    others = [
        {"m/labels.txt": "ant\r\nbee\n\n"},
        {"m/classes.json": '[["0", "ant"], ["1", "bee"]]'},
        {"m/classes.json": '{"0": {"id": 0, "displayName": "ant"}, "1": {"displayName": "bee"}}'},
        {"m/decode.json": '{"labels": ["ant", "bee"]}'},
        {"m/contract.json": '{"inputs": [{}], "outputs": [], "labels": ["ant", "bee"]}', "m/labels.txt": "cat"},
        {"m/classes.json": "{", "labels.txt": "cat"},
    ]
    found = call(*(["read", [{**model, **more}]] for more in others))
    assert [one["told"]["labels"] for one in found] == [["ant", "bee"]] * 5 + [None]
    assert found[4]["told"]["contract"] and not found[3]["told"]["contract"]
