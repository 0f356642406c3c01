"""PyTorch's outputs in the layouts of the graph."""

import dataclasses

import numpy as np
import pytest

from zoomill.sources import pytorch_source
from zoomill.sources.onnx_source import Value

PICTURE = np.arange(64, dtype=np.float32).reshape(1, 4, 4, 4)


@dataclasses.dataclass(frozen=True)
class Doubling(pytorch_source.Network):
    """Gives twice its picture, channels-first, and its sum, without PyTorch."""

    def run(self, feed):
        (value,) = self.inputs
        picture = value.to_source(feed["picture"])
        return [2 * picture, picture.sum(keepdims=True)[0, 0]]


@pytest.fixture
def network():
    picture = Value("picture", "picture", (1, 4, 4, 4), (0, 2, 3, 1))
    return Doubling("net.pt2", None, [picture], [{"name": "picture", "dtype": "float32", "shape": [1, 4, 4, 4]}])


def test_outputs_have_the_names_and_layouts_of_the_golden_ones_though_all_sizes_are_equal(network):
    golden = {"picture": PICTURE, "features": 2 * PICTURE, "sum": PICTURE.sum(keepdims=True)[0, 0]}
    found = network.like_graph(golden)({"picture": PICTURE[:, ::-1]})
    assert list(found) == ["features", "sum"]
    np.testing.assert_array_equal(found["features"], 2 * PICTURE[:, ::-1])


def test_an_output_that_the_graph_keeps_channels_first_stays_so(network):
    kept = np.transpose(2 * PICTURE, (0, 3, 1, 2))
    golden = {"picture": PICTURE, "features": kept, "sum": PICTURE.sum(keepdims=True)[0, 0]}
    np.testing.assert_array_equal(network.like_graph(golden)({"picture": PICTURE})["features"], kept)
