"""What is timed has all cores, so that no other job runs beside it, and what is not timed has one."""

import pytest
from conftest import REPOSITORY
from parsed import house, parsed

JAVASCRIPT = ("validate_tfjs", "validate_browser")


def threads(folder, config):
    """Return ``{rule: threads}`` in a run of seven cores, of the rules that have more than one or could."""
    texts = {"digits_slim": (REPOSITORY / "models/digits_slim.yaml").read_text()}
    names = ("validate_latency", "validate_tflite", *JAVASCRIPT)
    with parsed(house(REPOSITORY, folder / "house", texts), {"models": ["digits_slim"], **config}, 7) as found:
        return {rule.name: rule.expand_resources({}, [], 1)["_cores"] for rule in found.rules if rule.name in names}


def test_what_is_timed_has_the_whole_machine(tmp_path):
    found = threads(tmp_path, {"deploy": ["latency"]})
    assert found == {"validate_tflite": 1, **dict.fromkeys(("validate_latency", *JAVASCRIPT), 7)}


def test_javascript_shares_the_machine_where_times_are_not_wanted(tmp_path):
    found = threads(tmp_path, {})
    assert found == {"validate_latency": 7, **dict.fromkeys(("validate_tflite", *JAVASCRIPT), 1)}


@pytest.mark.parametrize("gates, timed", [("[]", False), ("[vela]", False), ("[latency]", True)])
def test_javascript_is_timed_where_times_are_wanted(workflow, gates, timed):
    settings = ["models=[digits_slim]", "tfjs=[float32]", "browser=True", f"deploy={gates}"]
    plan = workflow.run(
        "results/digits_slim/main.float32.tfjs.json", "results/digits_slim/browser.json", "-n", "-p", config=settings
    )
    assert plan.stdout.count("--timed") == 2 * timed
