"""What closer looks say in a sentence."""

from zoomill.proof import told_studies


def step(title, difference, verdict, interval=(-0.1, 0.1)):
    return {"title": title, "value": 0.7, "difference": difference, "interval": interval, "verdict": verdict}


def ledger(*steps):
    return {"figure": "top_1", "samples": 90, "first": step("source", 0, ""), "steps": steps, "whole": steps[-1]}


def test_the_step_that_loses_most_is_named():
    steps = [
        step("a", -0.1, "loss"),
        step("b", -0.3, "loss"),
        step("c", -0.5, "not told apart"),
        step("d", -0.2, "loss"),
    ]
    assert told_studies.ledger(ledger(*steps)).startswith("What costs most is b: top_1 -0.3000 (-0.1000 to +0.1000).")


def test_where_no_step_loses_it_says_on_how_many_samples():
    said = told_studies.ledger(ledger(step("a", -0.1, "not told apart", None)))
    assert said == (
        "No step can be told from costing nothing on 90 samples. "
        "From source to artifact: top_1 -0.1000, not told apart."
    )


def test_a_ledger_without_steps_has_the_figure_alone():
    found = {**ledger(step("a", 0, "")), "steps": [], "whole": None}
    assert told_studies.ledger(found) == "top_1 is 0.7000; there is no step to it."


def test_a_sweep_that_is_the_card_s_own_keeps_it():
    own = {"max_detections": 10}
    one = {"by": "map", "own": own, "best": own, "take": "best", "against": step("", 0, "gain")}
    assert told_studies.sweep({"advice": [one]}) == "By mAP, keep the card's settings."


def test_tensors_without_a_pair_have_no_worst():
    assert told_studies.tensors({"tensors": []}) == "No tensor of both files has the same name."
