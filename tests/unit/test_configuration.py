"""The configuration: its defaults, how a mistake is said, and the limits that it may change."""

import re
from pathlib import Path

import pytest
from refusals import refusal

from zoomill.plan import names, schemas, variants

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = schemas.load(REPOSITORY / "rules/schemas")["config"]


def test_the_configuration_gets_its_defaults():
    found = schemas.check({"models": ["a"]}, CONFIG, "config.yaml")
    assert found["toco"] == "toco" and found["mirrors"] == [] and found["accept_new_digests"] is False
    assert set(found["tflite"]) < set(variants.names(format="tflite")) and found["limits"] == {}
    assert {"float32", "toco_float32"} <= set(found["tflite"]) and "toco_uint8" not in found["tflite"]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"model": []}, ["unknown key model", "did you mean models"]),
        ({"models": "a"}, ["models: 'a' is no list; write [a]"]),
        ({"models": []}, ["models: "]),
        ({"models": ["a", "a"]}, ["models: "]),
        ({"tflite": ["float23"]}, ["tflite[0]: 'float23'", "float32"]),
        ({"toco": "tf2"}, ["toco: 'tf2' is not one of ['toco', 'tf1']"]),
        ({"time_limit": 0}, ["time_limit: 0"]),
        ({"limits": {"flaot32": {}}}, ["limits: unknown key flaot32; did you mean float32"]),
        ({"limits": {"int8": {"sqrn": 9}}}, ["limits.int8: unknown key sqrn; did you mean sqnr"]),
    ],
)
def test_a_mistake_in_the_configuration_is_said_with_its_key(change, words):
    message = refusal(schemas.check, {"models": ["a"], **change}, CONFIG, "config.yaml")
    assert message.startswith("config.yaml: ")
    assert [word for word in words if word not in message] == [], message


def test_nearest_names_come_first_and_all_where_none_is_near():
    known = ["ssd_mobilenet_v1_shapes", "yolo"]
    assert names.nearest("ssd_mobilnet_shapes", known) == "; did you mean ssd_mobilenet_v1_shapes?"
    assert names.nearest("zzz", known) == "; there are: ssd_mobilenet_v1_shapes, yolo"
    many = [f"model_{number}" for number in range(100)]
    assert names.nearest("zzz", many).endswith(", model_38, model_39 and 60 more")


def test_the_page_on_verdicts_gives_the_default_limits():
    page = (REPOSITORY / "docs/verdicts.md").read_text()
    rows = re.findall(r"^\| ([a-z0-9_, ]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
    said = {name: tuple(map(float, figures)) for names, *figures in rows for name in names.split(", ")}
    assert said == {
        row.name: tuple(map(float, (row.limits["sqnr"], row.limits["share"], row.limits["decisions"])))
        for row in variants.TABLE
    }


def test_variants_of_one_name_have_the_same_limits_in_all_formats():
    assert all(row.limits == other.limits for row in variants.TABLE for other in variants.rows(name=row.name))
