"""The table of variants, and the page that shows it."""

from pathlib import Path

from zoomill.plan import targets, variants

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_page_on_architecture_shows_the_table():
    shown = (REPOSITORY / "docs/architecture.md").read_text().partition("<!-- variants -->\n")[2].partition("<!--")[0]
    rows = [("format", "variant", "made by", "from", "of graphs", "needs")]
    for row in variants.TABLE:
        needs = ", ".join(f"`{need}`" for need in row.needs)
        rows.append((f".{row.format}", f"`{row.name}`", f"`{row.maker}`", row.made_from, f"`{row.graphs}`", needs))
    assert shown == "".join(f"| {' | '.join(row)} |\n" for row in [rows[0], ["---"] * 6, *rows[1:]])


def test_a_row_is_known_by_its_format_and_name():
    keys = [(row.format, row.name) for row in variants.TABLE]
    assert len(keys) == len(set(keys))
    assert all(variants.row(*key) in variants.TABLE for key in keys)


def test_what_a_row_needs_has_a_reason_and_its_maker_is_a_command():
    for row in variants.TABLE:
        assert set(row.needs) <= targets.NEEDS.keys()
        assert (REPOSITORY / f"scripts/{row.maker}.py").is_file()
        assert row.format in variants.FORMATS
