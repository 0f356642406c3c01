"""The search for the fewest operators to leave in float."""

import pytest
import small_models
from ai_edge_litert import schema_py_generated as schema
from rows import variant

from zoomill.tflite import bisection, tflite_file

OPERATORS = [f"operator {number}" for number in range(40)]


def search(guilty, ranked=OPERATORS):
    """Return the set found when all of some operators must be in float, and what was tried."""
    tried = []

    def good(chosen):
        tried.append(list(chosen))
        return set(guilty) <= set(chosen)

    return bisection.smallest(ranked, good), tried


def test_when_nothing_is_wrong_one_trial_says_so():
    assert search([]) == ([], [[]])


@pytest.mark.parametrize("places", [[0], [0, 1], [3], [7, 20], [0, 19, 39], range(40)], ids=str)
def test_exactly_the_guilty_ones_are_found(places):
    guilty = [OPERATORS[place] for place in places]
    assert search(guilty)[0] == guilty


def test_a_good_ranking_saves_trials():
    assert len(search(OPERATORS[:2])[1]) <= 6 < len(search(OPERATORS[18:20])[1])


def test_either_of_two_remedies_will_do_but_not_both():
    found = bisection.smallest(OPERATORS, lambda chosen: bool({OPERATORS[2], OPERATORS[3]} & set(chosen)))
    assert found == [OPERATORS[2]]


def test_no_single_operator_can_be_taken_out_even_where_more_float_is_not_always_better():
    def good(chosen):
        return sum(OPERATORS.index(name) for name in chosen) % 5 == 3

    found = bisection.smallest(OPERATORS[:13], good)  # 0 + … + 12 = 78
    assert good(found)
    assert not any(good([other for other in found if other != name]) for name in found)


def test_who_reads_an_output_of_the_model_stays_in_float_with_its_maker(tmp_path):
    builder = small_models.Builder()
    index = {name: builder.tensor(name, [1, 4]) for name in ("x", "inner", "logits", "probabilities")}
    builder.operator("RELU", [index["x"]], [index["inner"]])
    builder.operator("RELU", [index["inner"]], [index["logits"]])
    builder.operator("SOFTMAX", [index["logits"]], [index["probabilities"]], schema.SoftmaxOptionsT())
    path = tmp_path / "two_outputs.tflite"
    path.write_bytes(tflite_file.serialise(builder.build([index["x"]], [index["logits"], index["probabilities"]])))
    contract = {"outputs": [{"tensor": "logits"}, {"tensor": "probabilities"}]}
    workshop = bisection.Workshop(path, {}, contract, variant("int8_mixed"), tmp_path)
    assert workshop.operators == {"inner": "RELU", "logits": "RELU", "probabilities": "SOFTMAX"}
    assert workshop.whole(["logits"]) == ["logits", "probabilities"]
    assert workshop.whole(["inner"]) == ["inner"] and workshop.whole(["probabilities"]) == ["probabilities"]
