"""What the report shows of pictures: rows in which the very same stands once, words, and strangers' text as text."""

import copy

import jinja2
import pytest
from conftest import REPOSITORY

from zoomill.pages import report_pages, report_pictures

HOSTILE = '<script>alert("1")</script>'
ROWS = [{"artifact": "main.float32.tflite", "sha256": "a"}, {"artifact": "main.int8.tflite", "sha256": "b"}]


def document(form, source, float32, int8):
    found = [
        {"artifact": "source", "pictures": [source]},
        {"artifact": "main.float32.tflite", "variant": "float32", "sha256": "a", "pictures": [float32]},
        {"artifact": "main.int8.tflite", "variant": "int8", "sha256": "b", "pictures": [int8]},
    ]
    graphs = {"main": {"form": form, "shown_from": 0.3, "found": found}}
    return {"model": "small", "reason": None, "samples": ["sample-0.png"], "graphs": graphs}


def box(label="ant"):
    return {"label": label, "score": 0.5}


BOXES = document(
    "boxes",
    {"file": "main.source.0.png", "boxes": [box(), box()]},
    {"file": "main.source.0.png", "boxes": [box(), box()], "apart": {"same": 2}},
    {"file": "main.int8.0.png", "boxes": [box()], "apart": {"same": 1}},
)


def classes(*pairs, **more):
    return {"classes": [{"label": label, "score": score} for label, score in pairs], **more}


def test_those_who_found_the_very_same_stand_in_one_figure():
    (shown,) = report_pictures.of_model(BOXES, ROWS)
    (row,) = shown["rows"]
    assert row["sample"] == "sample-0.png"
    assert [(figure["names"], figure["file"]) for figure in row["figures"]] == [
        (["source", "float32"], "main.source.0.png"),
        (["int8"], "main.int8.0.png"),
    ]


def test_what_was_drawn_of_other_bytes_is_not_shown():
    (shown,) = report_pictures.of_model(BOXES, [ROWS[0], {**ROWS[1], "sha256": "other"}])
    assert [name for name, _ in shown["said"]] == ["float32"]
    assert report_pictures.of_model(BOXES, []) == report_pictures.of_model(None, ROWS) == []


def test_classes_that_are_next_to_nothing_are_left_out():
    given = document(
        "classes",
        classes(("ant", 0.999), ("bee", 0.001)),
        classes(("ant", 0.998), ("cow", 0.002), apart={"same": True}),
        classes(("bee", None), ("cow", 0.3), apart={"same": False}),
    )
    (shown,) = report_pictures.of_model(given, ROWS)
    assert [(figure["names"], figure["classes"]) for figure in shown["rows"][0]["figures"]] == [
        (["source", "float32"], (("ant", 1.0),)),
        (["int8"], (("bee", 0), ("cow", 0.3))),
    ]


@pytest.mark.parametrize(
    ("form", "apart", "words"),
    [
        ("boxes", [{"same": 2}, {"same": 1}], ["2 of the source's 2 boxes, 2 in all", "1 of the source's 2 boxes, 1"]),
        ("classes", [{"same": True}, {"same": False}], ["class in 1 of 1", "class in 0 of 1"]),
        ("points", [{"largest": 0.015, "mean": 0.01}] * 2, ["at most 1.50% of the edge from the source's, 1.00% in"]),
        ("picture", [{"largest": 3.21, "mean": 0.5}] * 2, ["at most 3.21 of 255 from the source's, 0.5 in the mean"]),
        ("picture", [{"largest": None, "mean": None}] * 2, ["not all of it is a number"]),
    ],
)
def test_how_far_an_artifact_is_from_the_source_stands_in_words(form, apart, words):
    given = copy.deepcopy(BOXES)
    given["graphs"]["main"]["form"] = form
    for item, found in zip(given["graphs"]["main"]["found"][1:], apart, strict=True):
        item["pictures"][0]["apart"] = found
    (shown,) = report_pictures.of_model(given, ROWS)
    assert all(start in said for (_, said), start in zip(shown["said"], words, strict=False))


def test_of_several_pictures_the_largest_difference_counts():
    given = copy.deepcopy(BOXES)
    given["graphs"]["main"]["form"] = "picture"
    for item in given["graphs"]["main"]["found"][1:]:
        item["pictures"] = [{"apart": {"largest": far, "mean": far / 2}} for far in (1.0, 3.0)]
    (shown,) = report_pictures.of_model(given, ROWS)
    assert shown["said"][0] == ("float32", "at most 3 of 255 from the source's, 1 in the mean")


def test_an_artifact_that_does_not_run_says_why():
    given = copy.deepcopy(BOXES)
    given["graphs"]["main"]["found"][2] |= {"refused": "no kernel", "pictures": []}
    (shown,) = report_pictures.of_model(given, ROWS)
    assert shown["said"][1] == ("int8", "LiteRT does not run it: no kernel")
    assert [figure["names"] for figure in shown["rows"][0]["figures"]] == [["source", "float32"]]


def section(found):
    """Return what a page shows of a document, by a template that escapes as those of the report."""
    folder = REPOSITORY / "scripts/zoomill/pages/templates/report"
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True)
    environment.filters["figures"] = report_pages.figures
    shown = report_pictures.of_model(found, ROWS)
    return str(environment.get_template("pictures.html.jinja").module.section("small", shown))


def test_labels_stay_text_and_pictures_are_those_beside_the_page():
    found = [classes((HOSTILE, 0.9)), *(classes((HOSTILE, 0.9), apart={"same": True}) for _ in range(2))]
    text = section(document("classes", *found))
    assert HOSTILE not in text and text.count("&lt;script&gt;") == 1
    assert text.count("<img ") == 1 and 'src="../small/pictures/sample-0.png"' in text and 'loading="lazy"' in text
    assert 'src="../small/pictures/main.int8.0.png" alt="boxes by int8"' in section(BOXES)
    assert "Pictures" not in section({**BOXES, "graphs": {}})
