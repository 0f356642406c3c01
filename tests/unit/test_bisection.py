"""The search for the fewest operators to leave in float."""

import pytest

from zoomill import bisection

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
