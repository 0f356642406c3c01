"""The table of gates, and the page that shows it."""

from pathlib import Path

from zoomill.plan import artifact_name, gates

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_page_on_gates_shows_the_table():
    shown = (REPOSITORY / "docs/deploy.md").read_text().partition("<!-- gates -->\n")[2].partition("<!--")[0]
    rows = [("gate", "run by", "a pass says", "and leaves open"), ["---"] * 4]
    rows += [(f"`{gate.name}`", gate.run_by, gate.tells, gate.leaves_open) for gate in gates.TABLE]
    assert shown == "".join(f"| {' | '.join(row)} |\n" for row in rows)


def test_evidence_of_a_gate_belongs_to_its_artifact():
    for gate in gates.NAMES:
        name, what = artifact_name.parse(f"results/small/main.int8.{gate}.json")
        assert (str(name), what) == ("results/small/main.int8.tflite", gate)
