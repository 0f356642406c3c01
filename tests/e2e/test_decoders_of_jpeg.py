"""JPEG as TensorFlow decodes it: not as Pillow does, and nothing else differs."""

import json

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image

from zoomill import files
from zoomill.inputs import samples

pytestmark = pytest.mark.slow
INPUT = {"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 40, 60, 3], "layout": "NHWC", "colour": "RGB"}
CONTRACT = {"model": "small", "graph": "main", "inputs": [{**INPUT, "value_range": [0, 1]}]}
CONTRACT |= {
    "outputs": [{"name": "y", "tensor": "y", "dtype": "float32", "shape": [1, 2]}],
    "labels": [],
    "label_offset": 0,
}


@pytest.fixture
def fitted(environment_python, command, tmp_path):
    """Return a function that fits three pictures, the first two JPEG, by a command, and returns process and pixels."""
    noise = np.random.RandomState(0).randint(0, 256, (10, 15, 3), np.uint8)
    picture, names = Image.fromarray(noise).resize((60, 40)), ("a.jpg", "b.JPEG", "c.png")
    for name in names:
        (picture.convert("L") if name == "b.JPEG" else picture).save(tmp_path / name)
    files.write_json(tmp_path / "contract.json", CONTRACT, recorded=False)

    def fit(name, environment):
        listed = [samples.Sample(name, 0, files.digest(tmp_path / name), "") for name in names]
        (tmp_path / "samples.csv").write_text(samples.index_text(listed), newline="")
        flags = ["--contract", tmp_path / "contract.json", "--samples", tmp_path / "samples.csv", "--folder", tmp_path]
        flags += ["--form", json.dumps({"reader": "picture", "label": "none"}), "--output", tmp_path / f"{name}.npy"]
        process = command(environment_python(environment), name, *flags, cwd=REPOSITORY)
        made = tmp_path / f"{name}.npy"
        return process, np.load(made)["pixels"].astype(int) if made.exists() else None

    return fit


def test_jpeg_is_decoded_by_tensorflow_and_what_is_none_by_pillow(fitted, tmp_path):
    (ours, ordinary), (theirs, other) = fitted("fit_pictures", "evaluate"), fitted("fit_pictures_by_tensorflow", "tf2")
    assert ours.returncode == theirs.returncode == 0, theirs.stderr
    assert ordinary.shape == other.shape == (3, 40, 60, 3)
    differ = [np.abs(one - two) for one, two in zip(ordinary, other, strict=True)]
    assert 0 < differ[0].mean() < 2 and differ[0].max() < 32 and not differ[2].any()
    assert differ[1].max() < 8  # grey, in three channels
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:200])
    process, _ = fitted("fit_pictures_by_tensorflow", "tf2")
    *_, line = process.stderr.splitlines()
    assert line.startswith(f"error: small: {tmp_path}/a.jpg: is no JPEG that TensorFlow can read: ")
