"""The pages about cards and config.yaml name every field that the schemas have, and no other."""

import re
from pathlib import Path

import pytest

from zoomill.plan import schemas

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = schemas.load(REPOSITORY / "rules/schemas")
PAGES = {"card": "cards.md", "dataset": "datasets.md", "config": "configuration.md"}
CARD = SCHEMA["card"]["properties"]
KINDS = [name.removeprefix("source_") for name in SCHEMA["card"]["$defs"] if name.startswith("source_")]


def table(page, heading):
    """Return ``{names in the first column of a row: the whole row}`` of the table with a heading."""
    text = (REPOSITORY / "docs" / page).read_text()
    (body,) = re.findall(rf"^\| {heading} \|.*\n\|[- |]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    return {tuple(re.findall(r"`([^`]+)`", row.split("|")[1])): row for row in body.splitlines()}


@pytest.mark.parametrize("kind", PAGES)
def test_the_table_of_a_page_has_all_fields_of_the_schema_and_no_other(kind):
    named = {name.partition(".")[0] for names in table(PAGES[kind], "field") for name in names}
    assert named == SCHEMA[kind]["properties"].keys()


def fields_of(schema):
    """Return the names of the fields that stand in a field."""
    if "oneOf" in schema:
        return [name for one in schema["oneOf"] for name in one.get("properties", {})]
    return list(schema.get("items", schema).get("properties", {}))


@pytest.mark.parametrize(
    "kind, field",
    [
        *(
            ("card", field)
            for field in ("inputs", "outputs", "preprocess", "calibration", "evaluation", "toco", "tfjs")
        ),
        ("dataset", "form"),
    ],
)
def test_a_row_names_all_that_may_stand_in_its_field(kind, field):
    (row,) = [row for names, row in table(PAGES[kind], "field").items() if field in names]
    inner = fields_of(SCHEMA[kind]["properties"][field])
    assert inner
    assert [name for name in inner if f"`{name}`" not in row and f"`{name}:" not in row] == []


def test_every_kind_of_source_has_a_row_with_all_its_options():
    rows = {names[0]: row for names, row in table("cards.md", "kind").items()}
    assert sorted(rows) == sorted(KINDS)
    for kind, row in rows.items():
        options = SCHEMA["card"]["$defs"][f"source_{kind}"]["properties"].keys() - {"kind", "files", "allow"}
        assert [name for name in sorted(options) if f"`{name}`" not in row] == [], kind
