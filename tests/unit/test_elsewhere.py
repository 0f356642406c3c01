"""How far other runtimes may be from LiteRT's own kernels, and on which input they are farthest."""

import numpy as np
import pytest
from small_models import dense, dense_contract

from zoomill.errors import UserError
from zoomill.tflite import elsewhere, runtime, tflite_file


@pytest.fixture
def opened(tmp_path):
    """A small file: its path, model, contract, three inputs, and what it gives for them."""
    model, contract = dense(5), dense_contract(5)
    tflite_file.set_signature(model, contract)
    path = tmp_path / "a.tflite"
    path.write_bytes(tflite_file.serialise(model))
    feeds = [{"image": np.full((1, 4), value, np.float32)} for value in (1, 2, 3)]
    file = runtime.Artifact(path, "builtin", contract)
    return path, model, contract, feeds, [file(contract, feed) for feed in feeds]


def test_the_same_answers_are_no_miss(opened):
    found = elsewhere.compare(*opened)
    assert elsewhere.misses(found) == [] and found.figures["inputs"] == found.xnnpack["inputs"] == 3


@pytest.mark.parametrize("wrong", [100.0, np.nan, -np.inf])
def test_the_input_on_which_it_is_farthest_is_kept(opened, wrong):
    *_, feeds, outputs = opened
    outputs[1]["y"][0, 2] = wrong
    found = elsewhere.compare(*opened)
    assert found.worst is feeds[1]
    (phrase,) = elsewhere.misses(found)
    assert phrase.startswith("outputs are up to")


def test_a_file_that_xnnpack_refuses_is_compared_all_the_same(opened, monkeypatch):
    usual = runtime.Artifact

    def refusing(file, kernels, contract):
        if kernels == "xnnpack":
            raise RuntimeError("no")
        return usual(file, kernels, contract)

    monkeypatch.setattr(runtime, "Artifact", refusing)
    found = elsewhere.compare(*opened)
    assert found.figures["inputs"] == 3 and found.xnnpack["inputs"] == 0 and elsewhere.misses(found) == []


def test_a_file_that_litert_refuses_and_a_contract_of_another_are_one_line(opened, tmp_path):
    path, _, contract, *_ = opened
    (tmp_path / "broken.tflite").write_bytes(path.read_bytes()[:100])
    with pytest.raises(elsewhere.Refused, match="^LiteRT refuses it: "):
        elsewhere.artifact(tmp_path / "broken.tflite", "contract.json", contract, True)
    other = dense_contract(6)
    assert elsewhere.artifact(path, "contract.json", other, False)
    with pytest.raises(UserError, match="a.tflite: is not as contract.json says: y has the shape"):
        elsewhere.artifact(path, "contract.json", other, True)


def compared(ours, theirs, decisions=200):
    """Return a comparison by flips, steps and share."""
    found = (
        {"decisions": decisions, **dict(zip(("flips", "steps", "share"), one, strict=True))} for one in (ours, theirs)
    )
    return elsewhere.Comparison(*found, None, None)


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ((14, 66, None), (6, 64, None), []),  # 2 * 6 + 1 % of 200 are allowed
        ((15, 66, None), (6, 64, None), ["15 of 200 decisions"]),
        ((0, 131, None), (0, 64, None), ["outputs are up to 131 steps"]),
        ((0, 130, None), (0, 64, None), []),
        ((0, None, 0.0099), (0, None, 1e-6), []),
        ((0, None, 0.0101), (0, None, 1e-6), ["outputs are up to 0.0101 of the largest value"]),
        ((0, None, np.inf), (0, None, 0.0), ["outputs are up to inf of the largest value"]),
    ],
    ids=str,
)
def test_others_may_be_twice_as_far_as_the_kernels_of_litert_are_among_them(ours, theirs, said):
    assert [
        phrase[: len(start)] for phrase, start in zip(elsewhere.misses(compared(ours, theirs)), said, strict=True)
    ] == said
