"""Golden inputs that move the outputs."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from zoomill import files
from zoomill.errors import UserError
from zoomill.graph import golden_inputs, outputs
from zoomill.inputs.sample_inputs import Samples


def promise(shape, dtype="float32", **more):
    return {"name": "x", "tensor": "x", "dtype": dtype, "shape": shape, "layout": None, "value_range": None, **more}


def chosen(promises, run, activations=None, **given):
    return golden_inputs.choose(golden_inputs.Given(**given), promises, run, activations)


def drawn(entry, count=24):
    return np.stack([golden_inputs.draw([entry], seed)["x"] for seed in range(count)])


@pytest.mark.parametrize(
    "entry",
    [
        promise([1, 12, 20, 3], layout="NHWC", value_range=[-1, 1]),
        promise([1, 3, 12, 20], layout="NCHW", value_range=[0, 255]),
        promise([1, 12, 20, 3], "uint8", layout="NHWC"),
        promise([1, 12, 20, 3], "uint8", layout="NHWC", value_range=[0, 255]),
        promise([1, 12, 20, 1], "int8", layout="NHWC"),
        promise([1, 64], value_range=[0, 1]),
        promise([1, 49, 10], value_range=[-25, 25]),
        promise([1, 1], value_range=[0, 1]),
        promise([1]),
        promise([]),
        promise([1, 16], "int32", value_range=[0, 999]),
        promise([1, 16], "int64"),
    ],
    ids=lambda entry: f"{entry['dtype']}-{entry['shape']}",
)
def test_inputs_have_the_dtype_and_shape_of_the_contract_and_fill_its_range(entry):
    values = drawn(entry)
    assert values.dtype == entry["dtype"] and list(values.shape[1:]) == entry["shape"]
    picture = entry["layout"] and entry["dtype"] != "float32"
    whole = (np.iinfo(entry["dtype"]).min, np.iinfo(entry["dtype"]).max) if picture else (-1, 1)
    low, high = entry["value_range"] or ((0, 9) if entry["dtype"].startswith("int") and not picture else whole)
    assert values.min() >= low and values.max() <= high
    assert np.ptp(values.astype(float)) > 0.9 * (high - low)


def test_each_channel_has_a_range_of_its_own():
    values = drawn(promise([1, 8, 8, 3], layout="NHWC", value_range=[[-100, -110, -120], [150, 140, 130]]))
    assert values[..., 0].max() > 140 and values[..., 2].max() <= 130 and values[..., 2].min() < -110


def test_colours_differ():
    values = drawn(promise([1, 16, 16, 3], layout="NHWC", value_range=[0, 1]))
    assert np.abs(values[..., 0] - values[..., 2]).mean() > 0.05


def test_inputs_are_the_same_on_every_machine():
    entry = promise([1, 24, 32, 3], layout="NHWC", value_range=[0, 1])
    rounded = np.rint(drawn(entry, 10) * 200).astype(np.uint8)
    assert hashlib.sha256(rounded.tobytes()).hexdigest()[:16] == "e652e651d21ef7d8"


def test_two_inputs_are_not_the_same():
    found = golden_inputs.draw([promise([1, 64]), {**promise([1, 64]), "name": "y"}], 0)
    assert found.keys() == {"x", "y"} and not np.array_equal(found["x"], found["y"])


def test_those_are_taken_whose_outputs_are_far_apart():
    entry = promise([1, 64], value_range=[0, 1])

    def run(feed):  # moves on few of the inputs only
        return {"y": np.maximum(feed["x"].mean() - 0.5, 0)[None]}

    taken = np.array([run(feed)["y"] for feed in chosen([entry], run)])
    first = np.array([run(golden_inputs.draw([entry], seed))["y"] for seed in range(golden_inputs.COUNT)])
    assert len(taken) == golden_inputs.COUNT
    assert outputs.spread(taken) > outputs.spread(first)


def test_inputs_are_drawn_wider_where_nobody_declared_a_range_and_the_output_stands_still():
    def run(feed):
        return {"y": np.clip(np.abs(feed["x"]) - 5, 0, None)}

    (name,) = chosen([promise([1, 8])], run)[0]
    assert outputs.moves(np.stack([run(feed)["y"] for feed in chosen([promise([1, 8])], run)])) and name == "x"


def test_an_output_that_never_moves_ends_the_search():
    assert len(chosen([promise([1, 8])], lambda feed: {"y": np.ones(3)})) == golden_inputs.COUNT


def test_runs_that_give_no_numbers_are_left_out():
    def run(feed):
        return {"y": np.log(feed["x"].mean())[None]}

    with np.errstate(invalid="ignore"):
        taken = [run(feed)["y"] for feed in chosen([promise([1, 8])], run)]
    assert np.isfinite(taken).all()


def test_pinned_pictures_are_all_taken(tmp_path):
    for number in range(3):
        Image.fromarray(np.full((4, 4, 3), 100 * number, np.uint8)).save(tmp_path / f"{number}.png")
    entry = promise([1, 4, 4, 3], layout="NHWC", colour="RGB", value_range=[0, 255])
    found = chosen([entry], None, images=sorted(map(str, tmp_path.iterdir())))
    assert [feed["x"].mean() for feed in found] == [0, 100, 200]


def test_pictures_for_several_inputs_or_without_a_range_are_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "0.png")
    given = {"images": [tmp_path / "0.png"]}
    entry = promise([1, 4, 4, 3], layout="NHWC", colour="RGB")
    with pytest.raises(UserError, match="`golden` pictures are for one input, the source has 2"):
        chosen([entry, entry], None, **given)
    with pytest.raises(UserError, match="the input x has no `value_range` in the card"):
        chosen([entry], None, **given)
    (feed,) = chosen([{**entry, "dtype": "uint8"}], None, **given)
    assert feed["x"].dtype == np.uint8


def test_samples_are_spread_over_the_list_and_those_far_apart_are_taken(tmp_path):
    rows = ["name,bytes,sha256,label"]
    for number in range(60):
        np.save(tmp_path / f"{number:02}.npy", np.full(4, number, np.float32))
        path = tmp_path / f"{number:02}.npy"
        rows.append(f"{path.name},{path.stat().st_size},{files.digest(path)},")
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n")
    samples = Samples(tmp_path / "list.csv", tmp_path, {"reader": "npy"}, {})
    found = chosen([promise([1, 4])], lambda feed: {"y": feed["x"]}, samples=samples)
    levels = [feed["x"][0, 0] for feed in found]
    assert len(levels) == golden_inputs.COUNT and levels[0] < 5 and levels[-1] > 50


def test_the_rows_of_a_fixed_batch_differ():
    promise = {"name": "x", "dtype": "float32", "shape": [5, 8, 8, 3], "layout": "NHWC", "value_range": [0, 1]}
    (drawn,) = golden_inputs.draw([promise], 3).values()
    assert len({row.tobytes() for row in drawn}) == 5
    (alone,) = golden_inputs.draw([{**promise, "shape": [1, 8, 8, 3]}], 3).values()
    assert np.array_equal(alone[0], drawn[0])
