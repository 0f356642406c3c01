"""Reading contracts that a person has written or edited."""

import copy
import json

import pytest

from zoomill.errors import UserError
from zoomill.inputs import contract_file

CONTRACT = {
    "model": "small",
    "graph": "main",
    "inputs": [{"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 4]}],
    "outputs": [{"name": "y", "tensor": "y"}],
}


@pytest.fixture
def read(tmp_path):
    """Return a function that reads text or a value as a contract."""

    def of(content):
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "contract.json").write_text(text)
        return contract_file.read(tmp_path / "contract.json")

    return of


def test_what_is_left_out_is_nothing(read):
    found = read(CONTRACT)
    assert (found["labels"], found["label_offset"]) == ([], 0)
    assert [found["inputs"][0][key] for key in ("layout", "colour", "value_range")] == [None] * 3


@pytest.mark.parametrize(
    "keys, value, said",
    [
        (("label_offset",), "? what to add", "label_offset: what to add; write the answer there"),
        (("inputs", 0, "value_range"), "? what 0 becomes", r"inputs\[0\].value_range: what 0 becomes"),
        (("inputs", 0, "shape"), [1, "? how many"], r"inputs\[0\].shape\[1\]: how many"),
    ],
)
def test_an_open_question_is_refused_with_its_place(read, keys, value, said):
    contract = place = copy.deepcopy(CONTRACT)
    *way, last = keys
    for key in way:
        place = place[key]
    place[last] = value
    with pytest.raises(UserError, match=r"contract\.json: " + said):
        read(contract)


def test_a_label_is_never_a_question(read):
    assert read({**CONTRACT, "labels": ["? unknown", "ant"]})["labels"] == ["? unknown", "ant"]


@pytest.mark.parametrize("key", ["model", "inputs", "outputs"])
def test_a_contract_without_its_parts_is_refused(read, key):
    with pytest.raises(UserError, match=f"lacks {key}; docs/contracts.md"):
        read({name: value for name, value in CONTRACT.items() if name != key})


def test_an_input_without_a_dtype_is_refused(read):
    with pytest.raises(UserError, match=r"lacks inputs\[0\].dtype"):
        read({**CONTRACT, "inputs": [{"name": "x", "tensor": "x", "shape": [1]}]})


@pytest.mark.parametrize("text", ["", '{"model": ', "[]", "3"])
def test_what_is_no_contract_is_refused_in_one_line(read, text):
    with pytest.raises(UserError, match=r"contract\.json: (is no JSON|lacks model)"):
        read(text)
