"""Reading pipeline.config."""

import pytest

from zoomill.errors import UserError
from zoomill.sources.tf1_detection.pipeline_config import read_pipeline

SSD = """
model {
  ssd {
    num_classes: 3
    image_resizer { fixed_shape_resizer { height: 256 width: 128 } }
    anchor_generator { ssd_anchor_generator { num_layers: 6 aspect_ratios: 1.0 aspect_ratios: 2.0 } }
    post_processing {
      score_converter: SIGMOID
      batch_non_max_suppression { score_threshold: 0.25 max_total_detections: 50 }
    }
  }
}
eval_config { use_moving_averages: true }
"""
UNKNOWN = """
train_config {
  batch_size: 24
  data_augmentation_options { ssd_random_crop { } }
  optimizer { rms_prop_optimizer { learning_rate { exponential_decay_learning_rate { decay_factor: 0.95 } } } }
}
train_input_reader: { label_map_path: "a \\"b\\" c", queue_capacity: 500 }
model { ssd { loss { hard_example_miner { num_hard_examples: 3000 } } normalize_loss_by_num_matches: true } }
"""


@pytest.fixture
def pipeline(tmp_path):
    """Return a function that writes a pipeline.config and reads it with an override."""
    path = tmp_path / "pipeline.config"

    def read(text, override=""):
        path.write_text(text)
        return read_pipeline(path, override)

    return read


def refusal(pipeline, text, override=""):
    """Return the message with which a pipeline is refused, one line."""
    with pytest.raises(UserError) as caught:
        pipeline(text, override)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_fields_that_are_listed_are_read_and_others_skipped(pipeline):
    for text in (SSD, SSD + UNKNOWN, UNKNOWN + SSD):
        ssd, use_moving_averages = pipeline(text)
        assert ssd.num_classes == 3
        assert (ssd.image_resizer.fixed_shape_resizer.height, ssd.image_resizer.fixed_shape_resizer.width) == (256, 128)
        assert ssd.post_processing.score_converter == 1
        assert use_moving_averages is True


def test_what_is_not_said_has_the_defaults_of_the_object_detection_api(pipeline):
    ssd, use_moving_averages = pipeline(
        "model { ssd { image_resizer { fixed_shape_resizer {} } anchor_generator { ssd_anchor_generator {} } } }"
    )
    generator, nms = ssd.anchor_generator.ssd_anchor_generator, ssd.post_processing.batch_non_max_suppression
    assert ssd.image_resizer.fixed_shape_resizer.height == 300
    assert (generator.num_layers, generator.reduce_boxes_in_lowest_layer) == (6, True)
    assert generator.min_scale == pytest.approx(0.2) and generator.max_scale == pytest.approx(0.95)
    assert nms.score_threshold == 0 and nms.iou_threshold == pytest.approx(0.6)
    assert (nms.max_detections_per_class, nms.max_total_detections) == (100, 100)
    assert ssd.box_coder.faster_rcnn_box_coder.height_scale == 5
    assert ssd.post_processing.score_converter == 0
    assert use_moving_averages is False


def test_an_override_replaces_scalars_appends_to_lists_and_leaves_the_rest(pipeline):
    ssd, _ = pipeline(
        SSD,
        """model { ssd {
          anchor_generator { ssd_anchor_generator { aspect_ratios: 3.0 } }
          post_processing { batch_non_max_suppression { score_threshold: 0.5 iou_threshold: 0.4 } }
        } }""",
    )
    nms = ssd.post_processing.batch_non_max_suppression
    assert list(ssd.anchor_generator.ssd_anchor_generator.aspect_ratios) == [1, 2, 3]
    assert nms.score_threshold == 0.5 and nms.iou_threshold == pytest.approx(0.4)
    assert nms.max_total_detections == 50


def test_a_model_that_is_no_ssd_is_refused(pipeline, tmp_path):
    message = refusal(pipeline, "model { faster_rcnn { num_classes: 3 } }")
    assert str(tmp_path / "pipeline.config") in message and "faster_rcnn" in message and "SSD" in message
    assert "SSD" in refusal(pipeline, "eval_config {}")


def test_a_resizer_without_a_fixed_size_is_refused(pipeline):
    text = SSD.replace("fixed_shape_resizer { height: 256 width: 128 }", "keep_aspect_ratio_resizer { }")
    assert "keep_aspect_ratio_resizer" in refusal(pipeline, text)
    assert "fixed_shape_resizer" in refusal(pipeline, SSD.replace("fixed_shape_resizer", "conditional_shape_resizer"))


def test_an_override_can_choose_the_fixed_resizer_and_the_other_one(pipeline):
    """The two are alternatives (a oneof in image_resizer.proto): the one that is named last counts."""
    fixed = "model { ssd { image_resizer { fixed_shape_resizer { height: 64 width: 64 } } } }"
    keep = "model { ssd { image_resizer { keep_aspect_ratio_resizer { } } } }"
    text = SSD.replace("fixed_shape_resizer { height: 256 width: 128 }", "keep_aspect_ratio_resizer { }")
    assert pipeline(text, fixed)[0].image_resizer.fixed_shape_resizer.height == 64
    assert "keep_aspect_ratio_resizer" in refusal(pipeline, SSD, keep)


def test_another_anchor_generator_is_refused(pipeline):
    assert "ssd_anchor_generator" in refusal(pipeline, SSD.replace("ssd_anchor_generator", "multiscale_generator"))


def test_an_anchor_generator_is_refused_by_its_name(pipeline):
    text = SSD.replace("ssd_anchor_generator { num_layers: 6 aspect_ratios: 1.0 aspect_ratios: 2.0 }", "%s { }")
    for name in ("multiscale_anchor_generator", "grid_anchor_generator"):
        assert f"has a {name}; anchors of other generators" in refusal(pipeline, text % name)


def test_a_network_has_a_background_unless_that_is_switched_off(pipeline):
    assert pipeline(SSD)[0].add_background_class is True
    assert pipeline(SSD, "model { ssd { add_background_class: false } }")[0].add_background_class is False


def test_an_override_of_what_a_graph_tells_replaces_lists_and_leaves_the_rest(pipeline, tmp_path):
    told, _ = pipeline(SSD)
    text = "model { ssd { num_classes: 7 anchor_generator { ssd_anchor_generator { aspect_ratios: 4 } } } }"
    ssd, _ = read_pipeline(tmp_path / "none.config", text, told)
    generator = ssd.anchor_generator.ssd_anchor_generator
    assert (ssd.num_classes, generator.num_layers, list(generator.aspect_ratios)) == (7, 6, [4])
    assert ssd.image_resizer == told.image_resizer and read_pipeline(tmp_path / "none.config", "", told)[0] == told


@pytest.mark.parametrize("text", ["model { ssd {", "model { ssd { num_classes: three } }", "model: }", "{", "\x00"])
def test_broken_text_is_refused_in_one_line_with_its_place(pipeline, tmp_path, text):
    message = refusal(pipeline, text)
    assert message.startswith(f"{tmp_path}/pipeline.config: no valid pipeline text: 1:")


def test_a_broken_override_is_said_to_be_the_cards(pipeline):
    assert "pipeline_override" in refusal(pipeline, SSD, "model { ssd { num_classes: } }")


def test_a_source_without_pipeline_config_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"pipeline\.config"):
        read_pipeline(tmp_path / "pipeline.config")


@pytest.mark.parametrize(
    "coder", ["mean_stddev_box_coder { stddev: 0.1 }", "square_box_coder {}", "keypoint_box_coder {}"]
)
def test_a_box_coder_that_the_op_does_not_have_is_refused_by_name(pipeline, coder):
    text = SSD + f"model {{ ssd {{ box_coder {{ {coder} }} }} }}"
    assert f"has a {coder.split()[0]}, but TFLite_Detection_PostProcess" in refusal(pipeline, text)
