"""Indices of data sets, and choosing from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoomill.errors import UserError
from zoomill.inputs import samples
from zoomill.inputs.samples import Sample

INDEX = [Sample(f"{number:03}.npy", number + 1, f"{number:064x}", str(number % 10)) for number in range(40)]


def names(chosen):
    return [int(sample.name[:3]) for sample in chosen]


@pytest.mark.parametrize(
    "wanted, expected",
    [
        ("all", list(range(40))),
        ({"names": ["007.npy", "002.npy"]}, [7, 2]),
        ({"indices": [5, 1, 39]}, [5, 1, 39]),
        ({"first": 38, "last": 39}, [38, 39]),
        ({"every": 15}, [0, 15, 30]),
        ({"count": 5, "seed": 1}, [2, 3, 21, 27, 31]),
    ],
)
def test_a_choice_is_the_same_on_every_machine(wanted, expected):
    assert names(samples.choose(INDEX, wanted)) == expected


@pytest.mark.parametrize(
    "wanted, message",
    [
        ({"names": ["gone.npy"]}, "there is no sample gone.npy"),
        ({"indices": [40]}, "there is no sample 40; the data set has 40"),
        ({"count": 41, "seed": 0}, "41 samples are asked for; the data set has 40"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(wanted, message):
    with pytest.raises(UserError, match=message):
        samples.choose(INDEX, wanted)


@given(st.integers(0, 40), st.integers(0, 2**31))
def test_a_drawn_choice_has_no_sample_twice_and_keeps_the_order(count, seed):
    found = names(samples.choose(INDEX, {"count": count, "seed": seed}))
    assert len(found) == count and found == sorted(set(found))


def test_a_list_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(samples.index_text(INDEX))
    assert samples.read_index(path) == INDEX


@pytest.mark.parametrize(
    "text, message",
    [
        ("name,label\na,1\n", "its columns must be name, bytes, sha256, label"),
        ("name,bytes,sha256,label\na,1," + "0" * 64 + ",\na,1," + "0" * 64 + ",\n", "has a name twice"),
        ("", "its columns must be"),
    ],
)
def test_a_broken_index_is_refused(tmp_path, text, message):
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        samples.read_index(tmp_path / "index.csv")


def test_lists_that_share_content_overlap_under_any_name():
    renamed = Sample("other.npy", 4, INDEX[3].sha256, "")
    assert samples.overlap(INDEX[:3], [renamed]) is None
    assert samples.overlap(INDEX[:5], [renamed]) == "003.npy"
