"""Reading samples."""

import hashlib

import numpy as np
import pytest

from zoomill import folders
from zoomill.errors import UserError
from zoomill.inputs import readers
from zoomill.inputs.samples import Sample


@pytest.fixture
def stored(tmp_path):
    """Return a function that stores bytes and returns folder and sample."""

    def store(data, label=""):
        (tmp_path / "sample.bin").write_bytes(data)
        return tmp_path, Sample("sample.bin", len(data), hashlib.sha256(data).hexdigest(), label)

    return store


def test_eight_bit_tensors_stay_pictures(stored):
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    (found,) = readers.read(*stored(picture.tobytes()), {"reader": "tensor", "dtype": "uint8", "shape": [2, 2, 3]})
    assert found.dtype == np.uint8 and (found == picture).all()


def test_quantised_tensors_become_their_values(stored):
    form = {"reader": "tensor", "dtype": "int8", "shape": [2, 2], "scale": 0.5, "zero_point": 3}
    (found,) = readers.read(*stored(np.array([3, 5, -128, 127], np.int8).tobytes()), form)
    assert found.dtype == np.float32 and found.tolist() == [[0, 1], [-65.5, 62]]


def test_windows_begin_a_step_apart(stored):
    rows = np.arange(12, dtype="<f4")
    form = {"reader": "tensor", "dtype": "float32", "shape": [6], "step": 2}
    found = readers.read(*stored(rows.tobytes()), form)
    assert [window.tolist() for window in found] == [rows[start : start + 6].tolist() for start in (0, 2, 4, 6)]


@pytest.mark.parametrize("size", [0, 4, 23, 44])
def test_a_file_of_another_size_is_refused(stored, size):
    form = {"reader": "tensor", "dtype": "float32", "shape": [6], "step": 3}
    with pytest.raises(UserError, match=f"has {size} bytes, which is no number of float32"):
        readers.read(*stored(bytes(size)), form)


def test_labels_are_what_the_form_says(tmp_path):
    np.save(tmp_path / "target.npy", np.ones(3))
    sample = Sample("a", 1, "", "7")
    assert readers.read_label(tmp_path, sample, {"label": "class"}) == 7
    assert readers.read_label(tmp_path, sample, {"label": "none"}) is None
    assert readers.read_label(tmp_path, Sample("a", 1, "", "0.5 1"), {"label": "values"}).tolist() == [0.5, 1]
    assert readers.read_label(tmp_path, Sample("a", 1, "", "target.npy"), {"label": "target"}).tolist() == [1, 1, 1]


def test_a_sample_that_is_not_the_listed_one_is_refused_with_what_to_do(stored):
    folder, sample = stored(np.arange(4, dtype=np.uint8).tobytes())
    (folder / sample.name).write_bytes(bytes(4))
    with pytest.raises(UserError, match=f"^{folder}/sample.bin: is not the file .* --force {folder}`$"):
        readers.read(folder, sample, {"reader": "tensor", "dtype": "uint8", "shape": [4]})


def test_a_target_that_was_changed_since_the_data_set_was_made_is_refused(tmp_path):
    with folders.written(tmp_path / "set") as folder:
        np.save(f"{folder}/target.npy", np.ones(3))
    arguments = tmp_path / "set", Sample("a", 1, "", "target.npy"), {"label": "target"}
    assert readers.read_label(*arguments).tolist() == [1, 1, 1]
    np.save(tmp_path / "set/target.npy", np.zeros(3))
    with pytest.raises(UserError, match="set/target.npy: was changed after it was made; restore it by"):
        readers.read_label(*arguments)
