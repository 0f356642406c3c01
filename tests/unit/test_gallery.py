"""What is drawn of what models find: where it stands, what is told of it, and that it is the same every time."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from small_models import options

from zoomill.detection.nms import Detections
from zoomill.pages import drawing, finding_reader, findings, gallery

BLACK = Image.new("RGB", (320, 160))
CARD = {"task": "object-detection", "decode": {}, "output": None, "metric": {}}
PICTURE = {"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 8, 8, 3], "layout": "NHWC", "colour": "RGB"}
PICTURE["value_range"] = [0, 1]


def contract(*outputs, graph="main", **more):
    return {"model": "small", "graph": graph, "inputs": [PICTURE], "outputs": list(outputs), "labels": []} | more


def output(name, *shape, **more):
    return {"name": name, "tensor": name, "dtype": "float32", "shape": [1, *shape], "meaning": "", **more}


def detections(*rows):
    """Return detections of rows ymin, xmin, ymax, xmax, class, score."""
    rows = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(rows[:, :4], rows[:, 4].astype(int), rows[:, 5])


def coloured(picture):
    """Return columns and rows, first and last, of what is not black."""
    rows, columns = np.nonzero(np.asarray(picture).any(axis=2))
    return columns.min(), rows.min(), columns.max(), rows.max()


def read(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(
    ("sides", "size"), [((8, 8), (320, 320)), ((30, 100), (300, 90)), ((320, 2), (2, 320)), ((640, 320), (160, 320))]
)
def test_small_pictures_are_enlarged_by_a_whole_number_and_large_ones_made_smaller(sides, size):
    pixels = np.random.RandomState(0).randint(0, 256, (*sides, 3), np.uint8)
    found = drawing.enlarged(pixels)
    assert found.size == size
    if sides[0] < found.height:
        factor = found.height // sides[0]
        np.testing.assert_array_equal(np.asarray(found)[factor // 2 :: factor, factor // 2 :: factor], pixels)


def test_a_box_stands_where_it_is():
    found = drawing.with_boxes(BLACK, [[0.5, 0.25, 0.75, 0.5]], [0], [""])
    # Of the plate there are two margins, above the box.
    assert coloured(found.crop((0, 80, 320, 160))) == (80, 0, 159, 39)
    assert np.asarray(found)[100, 120].tolist() == [0, 0, 0]


def test_boxes_that_reach_beyond_the_picture_or_are_no_numbers_are_cut_at_its_edges():
    boxes = [[-1, -1, 2, 2], [np.nan, 0, np.inf, 1], [0.9, 0.9, 0.1, 0.1]]
    found = drawing.with_boxes(BLACK, np.array(boxes), [0, 1, 2], ["a", "b", "c"])
    assert coloured(found) == (0, 0, 319, 159)


def test_texts_of_boxes_do_not_cover_each_other_while_there_is_room():
    one = drawing.with_boxes(BLACK, [[0.5, 0.5, 0.9, 0.9]], [0], ["first"])
    both = drawing.with_boxes(BLACK, [[0.5, 0.5, 0.9, 0.9], [0.5, 0.5, 0.9, 0.9]], [0, 1], ["first", "second"])
    plate = (160, 80 - 15, 160 + 20, 80)
    np.testing.assert_array_equal(np.asarray(one.crop(plate)), np.asarray(both.crop(plate)))
    below = np.asarray(both.crop((160, 144, 162, 158)))
    assert (below == below[0, 0]).all() and below[0, 0].any()
    crowd = [
        drawing.with_boxes(BLACK, [[0.5, 0.5, 0.9, 0.9]] * 9, [0] * 9, ["first", *texts])
        for texts in (["second", "third", "fourth", "one too many", *"abcd"], ["second", "third", "fourth", *"abcde"])
    ]
    np.testing.assert_array_equal(*map(np.asarray, crowd))


@pytest.mark.parametrize("text", ["", "\x1b[2J\n\r\t\x00", "W" * 300, "日本語", "\ud800", "\u202eright"])
def test_any_text_can_be_drawn_and_stays_inside(text):
    found = drawing.with_boxes(BLACK, [[0.9, 0.95, 1, 1]], [6], [text])
    assert found.size == BLACK.size
    assert len(drawing.png(found)) > len(drawing.png(BLACK))


def test_control_characters_are_made_visible():
    drawn = (drawing.with_boxes(BLACK, [[0.5, 0.5, 1, 1]], [0], [text]) for text in ("a\nb\x07", r"a\nb\x07"))
    np.testing.assert_array_equal(*map(np.asarray, drawn))


def test_a_point_stands_where_it_is_and_one_outside_nowhere():
    found = drawing.with_points(BLACK, np.array([[0.25, 0.75], [1.5, 0.5], [np.nan, 0.5]]))
    left, top, right, bottom = coloured(found)
    assert (left + right + 1, top + bottom + 1) == (2 * 80, 2 * 120)


AFTER_NMS = [output(f"detection_{name}", 9) for name in ("boxes", "classes", "scores")] + [output("num_detections")]


@pytest.mark.parametrize(
    ("task", "outputs", "form"),
    [
        ("image-classification", [output("p", 3)], "classes"),
        ("image-generation", [output("y", 8, 8, 1)], "picture"),
        ("super-resolution", [output("y", 3, 8, 8)], "picture"),
        ("image-generation", [output("y", 8, 8, 2)], None),
        ("landmarks", [output("y", 6, meaning="x, y of each")], "points"),
        ("landmarks", [output("y", 6)], None),
        ("other", [output("y", 6)], None),
        ("object-detection", AFTER_NMS, None),
    ],
)
def test_outputs_have_a_form_by_their_task_and_shape(task, outputs, form):
    assert finding_reader.form(contract(*outputs), {**CARD, "task": task}) == form


def test_the_output_that_the_metric_names_counts():
    card = {**CARD, "task": "landmarks", "output": "y"}
    card["metric"] = {"name": "landmarks", "dimensions": 3, "output": "y"}
    for more, expected in (({"value_range": [0, 100]}, [[0, 0.01], [0.03, 0.04]]), ({}, [[0, 0.125], [0.1875, 0.5]])):
        given = contract(output("z", 1), output("y", 6, **more)) | {"inputs": [{**PICTURE, "shape": [1, 8, 16, 3]}]}
        found = finding_reader.of_artifact(given, card, None)({"y": np.arange(6), "z": None})
        assert found.points.tolist() == expected


def test_a_picture_has_the_range_of_its_output_or_else_that_of_the_input():
    card = {**CARD, "task": "image-generation"}
    values = {"y": np.full((1, 2, 2, 1), 0.5, np.float32)}
    for entry, grey in ((output("y", 2, 2, 1), 128), (output("y", 2, 2, 1, value_range=[-1, 1]), 191)):
        drawn = finding_reader.of_artifact(contract(entry), card, None)(values).drawn(None, [])
        assert np.unique(np.asarray(drawn)).tolist() == [grey]


def test_boxes_are_told_by_label_and_those_of_the_source_are_found_again():
    source = findings.Boxes(detections([0, 0, 0.5, 0.5, 0, 0.9], [0.5, 0.5, 1, 1, 1, 0.8]))
    own = findings.Boxes(detections([0, 0.01, 0.5, 0.5, 0, 0.7], [0.5, 0.5, 1, 1, 0, 0.6], [0, 0, 1, 1, 5, 0.5]))
    assert [box["label"] for box in own.told(["ant", "bee"])["boxes"]] == ["ant", "ant", "5"]
    assert own.apart(source) == {"same": 1} and source.apart(source) == {"same": 2}
    assert findings.Boxes(detections()).apart(source) == {"same": 0}


def test_differences_are_told_in_steps_of_a_picture_and_parts_of_an_edge():
    half, whole = (findings.Picture(np.full((2, 2, 1), value), (-1, 1)) for value in (0, 1))
    assert half.apart(whole) == {"largest": 127.5, "mean": 127.5}
    points = findings.Points(np.array([[0, 0], [0.3, 0.4]]))
    assert points.apart(findings.Points(np.zeros((2, 2)))) == {"largest": 0.5, "mean": 0.25}
    nothing = findings.Points(np.full((2, 2), np.nan))
    assert nothing.apart(points) == {"largest": None, "mean": None}


def test_the_background_of_a_classifier_is_named():
    told = findings.Classes(np.array([0.5, 0.2, 0.3]), 1, 2).told(["ant", "bee"])
    assert [entry["label"] for entry in told["classes"]] == ["background", "bee"]


def ssd(graph="detect_cut"):
    heads = [output("box_encodings", 2, 4), output("class_predictions", 2, 4)]
    heads[0]["tensor"], heads[1]["tensor"] = "raw_outputs/box_encodings", "raw_outputs/class_predictions"
    return contract(*heads, graph=graph, postprocess=vars(options()), labels=["ant", "bee", "cow"], label_offset=1)


def ssd_golden(count=2):
    golden = {"x": np.zeros((count, 1, 8, 8, 3), np.float32)}
    golden["x"][:, 0, :4, :4, 0] = np.linspace(0.5, 1, count)[:, None, None]
    golden["raw_outputs/box_encodings"] = np.zeros((count, 2, 4), np.float32)
    golden["raw_outputs/class_predictions"] = np.tile(
        np.array([[0, 0.9, 0, 0], [0, 0, 0.2, 0]], np.float32), (count, 1, 1)
    )
    golden["detection_boxes"] = np.tile(np.array([[0, 0, 0.5, 0.5], [0, 0, 1, 1]], np.float32), (count, 1, 1))
    golden["detection_classes"] = np.tile(np.array([1, 2], np.float32), (count, 1))
    golden["detection_scores"] = np.tile(np.array([0.9, 0.2], np.float32), (count, 1))
    golden["num_detections"] = np.full(count, 2, np.float32)
    return golden


ANCHORS = np.array([[0.25, 0.25, 0.5, 0.5], [0.5, 0.5, 1, 1]], np.float32)


def ssd_gallery(golden=None):
    golden = ssd_golden() if golden is None else golden
    made = gallery.Gallery({"detect_cut": ssd()}, CARD, golden, ANCHORS)

    def load():
        return lambda _, feed: {
            name: golden[f"raw_outputs/{name}"][:1] for name in ("box_encodings", "class_predictions")
        }

    def refused():
        raise RuntimeError("no kernel\nmore")

    made.add("detect_cut", {"artifact": "detect_cut.float32.tflite", "variant": "float32"}, load)
    made.add("detect_cut", {"artifact": "detect_cut.int8.tflite", "variant": "int8"}, refused)
    return made.files()


def test_what_the_source_finds_is_counted_and_drawn_beside_what_an_artifact_finds():
    files, document = ssd_gallery()
    drawn = document["graphs"]["detect_cut"]
    source, own, refused = drawn["found"]
    assert (drawn["form"], drawn["shown_from"]) == ("boxes", pytest.approx(0.3))
    assert source["pictures"][0]["boxes"] == own["pictures"][0]["boxes"] == [{"label": "ant", "score": 0.9}]
    assert own["pictures"][0]["apart"] == {"same": 1}
    assert refused["refused"] == "no kernel" and refused["pictures"] == []
    assert document["samples"] == ["sample-0.png", "sample-1.png"]
    # Those that are alike are one file.
    assert own["pictures"][0]["file"] == source["pictures"][0]["file"] == "detect_cut.source.0.png"
    assert sorted(files) == sorted([*document["samples"], *(f"detect_cut.source.{number}.png" for number in range(2))])
    corner = read(files["sample-1.png"])
    assert corner[100, 100].tolist() == [255, 0, 0] and corner[200, 200].tolist() == [0, 0, 0]


def test_each_run_of_an_artifact_has_its_own_time(monkeypatch):
    steps = []
    monkeypatch.setattr(gallery.supervisor, "step", lambda: steps.append(None))
    ssd_gallery(ssd_golden(3))
    assert len(steps) == 3


def test_without_the_sources_own_boxes_its_heads_are_decoded():
    golden = {name: values for name, values in ssd_golden().items() if not name.startswith("detection_")}
    _, document = ssd_gallery(golden)
    found = document["graphs"]["detect_cut"]["found"][0]["pictures"][0]["boxes"]
    assert found == [{"label": "ant", "score": 0.9}]


def test_pictures_have_the_same_bytes_every_time_and_nothing_but_the_picture():
    files, document = ssd_gallery()
    again, same = ssd_gallery()
    assert (files, document) == (again, same)
    for data in files.values():
        assert Image.open(io.BytesIO(data)).info == {}
    json.dumps(document, allow_nan=False)


def test_pictures_of_a_model_are_not_many_and_not_large(monkeypatch):
    assert len(ssd_gallery(ssd_golden(9))[1]["samples"]) == gallery.MOST_SAMPLES
    files, document = ssd_gallery()
    monkeypatch.setattr(gallery, "MOST_BYTES", sum(map(len, files.values())) - 1)
    fewer, document = ssd_gallery()
    assert document["samples"] == ["sample-0.png"] and len(fewer) == len(files) // 2
    assert len(document["graphs"]["detect_cut"]["found"][0]["pictures"]) == 1


@pytest.mark.parametrize(
    ("inputs", "golden", "words"),
    [
        ([PICTURE], {}, "are drawn"),
        ([{**PICTURE, "layout": None}], ssd_golden(), "no picture"),
        ([{**PICTURE, "value_range": None}], ssd_golden(), "no picture"),
        ([PICTURE, PICTURE], ssd_golden(), "no picture"),
    ],
)
def test_where_there_is_nothing_to_see_the_index_says_why(inputs, golden, words):
    files, document = gallery.Gallery({"detect_cut": {**ssd(), "inputs": inputs}}, CARD, golden, ANCHORS).files()
    assert words in document["reason"] and files == document["graphs"] == {} and document["samples"] == []
