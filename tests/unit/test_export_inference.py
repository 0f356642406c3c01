"""The pictures that the inference graph of a detector is run on."""

import numpy as np

import export_inference
from zoomill import files
from zoomill.graph.golden_inputs import Given
from zoomill.inputs import samples
from zoomill.inputs.sample_inputs import Samples


def test_samples_of_a_data_set_become_pictures(tmp_path):
    pictures = [np.full((6, 4, 3), value, np.uint8) for value in (0, 255)]
    entries = []
    for number, picture in enumerate(pictures):
        path = tmp_path / f"{number}.npy"
        np.save(path, picture)
        entries.append(samples.Sample(path.name, path.stat().st_size, files.digest(path), ""))
    (tmp_path / "list.csv").write_text(samples.index_text(entries), newline="")
    given = Given([], Samples(tmp_path / "list.csv", tmp_path, {"reader": "npy"}, {}))
    promise = {"name": "image_tensor", "shape": [1, 3, 2, 3], "colour": "RGB", "value_range": [0, 255]}
    found = export_inference.feeds(given, promise, lambda feed: {"y": feed["image_tensor"].astype(np.float32)})
    assert [feed["image_tensor"].dtype for feed in found] == [np.uint8] * 2
    assert [feed["image_tensor"].tolist() for feed in found] == [np.full((1, 3, 2, 3), v).tolist() for v in (0, 255)]
