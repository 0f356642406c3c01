"""Reading a source's own post-processing from the constants of its graph."""

import collections
import types

import numpy as np
import pytest
from small_models import options

from zoomill.sources.tf1_detection import source_nms

SCOPE = "Postprocessor/BatchMultiClassNonMaxSuppression/map/while/MultiClassNonMaxSuppression"


class Graph:
    """A graph as the Object Detection API writes it, of namespaces in place of protobuf messages."""

    def __init__(self, old=False, classes=3, iou=0.5, score=0.25, each=20, total=30, sigma=0.0, scales=(10, 10, 5, 5)):
        self.node = []
        for label in range(classes):
            least = self.least(f"{SCOPE}/Minimum_{label}", each)
            ends = [self.add(f"{SCOPE}/iou_{label}", "Const", value=np.float32(iou))]
            if old:
                floor = self.add(f"{SCOPE}/FilterGreaterThan_{label}/Greater/y", "Const", value=np.float32(score))
                self.add(f"{SCOPE}/FilterGreaterThan_{label}/Greater", "Greater", "scores", floor)
            else:
                ends.append(self.add(f"{SCOPE}/score_{label}", "Const", value=np.float32(score)))
                ends.append(self.add(f"{SCOPE}/sigma_{label}", "Const", value=np.float32(sigma)))
            self.add(f"{SCOPE}/nms_{label}", f"NonMaxSuppressionV{2 if old else 5}", "boxes", "scores", least, *ends)
        self.least(f"{SCOPE}/Minimum_{classes}", total)
        self.least(f"{SCOPE}/ClipToWindow/Minimum", 1)
        for number, scale in enumerate(scales):
            divisor = self.add(f"Postprocessor/Decode/div_{number}/y", "Const", value=np.float32(scale))
            place = f"Postprocessor/Decode/unstack:{number}" if number else "Postprocessor/Decode/unstack"
            self.add(f"Postprocessor/Decode/div_{number}", "RealDiv", place, divisor)

    def least(self, name, value):
        outside = self.add(f"{name}/x", "Const", value=np.int32(value))
        self.add(f"{name}/Enter", "Enter", outside)
        return self.add(name, "Minimum", f"{name}/Enter", f"{name}/strided_slice")

    def add(self, name, op, *inputs, value=None):
        empty = {"float_val": [], "int_val": [], "int64_val": [], "tensor_content": b"", "dtype": 1}
        if isinstance(value, np.int32):
            empty |= {"int_val": [int(value)], "dtype": 3}
        elif value is not None:
            empty |= {"tensor_content": value.tobytes()}
        attributes = collections.defaultdict(lambda: types.SimpleNamespace(f=0.0))
        attributes["value"] = types.SimpleNamespace(tensor=types.SimpleNamespace(**empty))
        self.node.append(types.SimpleNamespace(name=name, op=op, input=inputs, attr=attributes))
        return name


WANTED = options(nms_iou_threshold=0.5, nms_score_threshold=0.25, detections_per_class=20, max_detections=30)


@pytest.mark.parametrize("old", [True, False], ids=["2018", "later"])
def test_thresholds_numbers_and_scales_are_those_of_the_graph(old):
    assert source_nms.read(Graph(old)) == WANTED
    found = source_nms.read(Graph(old, classes=1, iou=0.6, score=1e-8, each=7, total=7, scales=(1, 2, 3, 4)))
    changes = {"nms_iou_threshold": 0.6, "nms_score_threshold": 1e-8, "detections_per_class": 7, "max_detections": 7}
    assert found == options(num_classes=1, **changes, y_scale=1, x_scale=2, h_scale=3, w_scale=4)


def test_a_graph_without_post_processing_says_nothing():
    graph = Graph()
    graph.node = [node for node in graph.node if not node.name.startswith("Postprocessor/Batch")]
    assert source_nms.read(graph) is None


@pytest.mark.parametrize("changes", [{"sigma": 0.5}, {"scales": ()}], ids=["soft NMS", "another box coder"])
def test_what_the_op_cannot_do_is_not_taken_for_it(changes):
    assert source_nms.read(Graph(**changes)) is None


def test_values_that_are_computed_are_not_guessed():
    graph = Graph()
    for node in graph.node:
        if node.name.endswith("iou_1"):
            node.op = "Placeholder"
    assert source_nms.read(graph) is None
