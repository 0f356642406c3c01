"""What the export of a detector checks and prefers, without TensorFlow."""

import dataclasses

import numpy as np
import pytest
from small_models import options

from export_tf1_detection import check_source, clear_scores, options_of
from zoomill.errors import UserError
from zoomill.sources.tf1_detection import pipeline_config

TEXT = """model { ssd { num_classes: 3
  image_resizer { fixed_shape_resizer {} } anchor_generator { ssd_anchor_generator {} }
  post_processing { batch_non_max_suppression { score_threshold: 0.3 iou_threshold: 0.6 max_total_detections: 10 } }
} }"""


@pytest.fixture
def check(tmp_path):
    """Return a function that holds the options of a graph against a pipeline.config or an override."""

    def checked(own, text=None, override=""):
        path = tmp_path / "pipeline.config"
        if text:
            path.write_text(text)
        check_source(own, str(path), override, "graph.pb")

    return checked


def test_a_graph_that_does_what_its_pipeline_says_passes_whatever_the_override_asks_of_the_op(check):
    nms = "post_processing { batch_non_max_suppression { iou_threshold: 0.4 score_threshold: 0.9 } }"
    check(options(), TEXT, f"model {{ ssd {{ {nms} }} }}")


@pytest.mark.parametrize(
    "name, value, said", [("nms_iou_threshold", 0.5, "0.6"), ("nms_score_threshold", 1e-8, "0.3"), ("y_scale", 1, "10")]
)
def test_a_pipeline_of_another_graph_is_refused_with_both_values(check, name, value, said):
    with pytest.raises(UserError, match=rf"graph\.pb.* {name} {value:g} where .*pipeline\.config says {said};"):
        check(options(**{name: value}), TEXT)


def test_options_of_the_card_are_those_of_the_raw_heads_too(tmp_path):
    (tmp_path / "pipeline.config").write_text(TEXT)
    ssd, _ = pipeline_config.read_pipeline(str(tmp_path / "pipeline.config"), "", None)
    own = options_of(ssd, {})
    assert options_of(ssd, {"nms_score_threshold": 0.5}) == dataclasses.replace(own, nms_score_threshold=0.5) != own
    with pytest.raises(UserError, match="num_classes 4 in the card, but the class head has 3"):
        options_of(ssd, {"num_classes": 4})


def test_an_override_in_place_of_a_pipeline_may_cut_the_list_and_nothing_else(check):
    check(options(nms_score_threshold=1e-8, max_detections=100), None, TEXT)
    with pytest.raises(UserError, match="nms_iou_threshold 0.5 where the card's pipeline_override says 0.6"):
        check(options(nms_iou_threshold=0.5), None, TEXT)


def test_a_class_counts_by_how_far_it_is_ahead_of_the_others_of_its_anchor():
    scores = np.array([[[0.9, 0.8, 0.1], [0.2, 0.7, 0.1], [0, 0.1, 0.1]]])
    np.testing.assert_allclose(clear_scores(scores), [[0.1, 0.5, 0]], atol=1e-12)
    np.testing.assert_allclose(clear_scores(scores[:, :, :1]), [[0.9]])
