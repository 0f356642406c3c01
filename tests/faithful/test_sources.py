"""A frozen graph is as good a source as the checkpoint it was frozen from."""

import shutil

import numpy as np
import pytest
from PIL import Image

from faithful.models import OVERRIDE, convert_command, export_command, postprocess_commands, run_warm
from zoomill import files
from zoomill.tflite import detection_source

pytestmark = pytest.mark.slow

# Written from the constants of the graph, which came without one.
AIY_PIPELINE = """
model { ssd {
  num_classes: 3
  image_resizer { fixed_shape_resizer { height: 256 width: 256 } }
  box_coder { faster_rcnn_box_coder { y_scale: 10 x_scale: 10 height_scale: 5 width_scale: 5 } }
  anchor_generator { ssd_anchor_generator {
    num_layers: 5 min_scale: 0.2 max_scale: 0.95
    aspect_ratios: 1 aspect_ratios: 2 aspect_ratios: 0.5 aspect_ratios: 3 aspect_ratios: 0.3333
  } }
  post_processing {
    score_converter: SIGMOID
    batch_non_max_suppression {
      score_threshold: 1e-8 iou_threshold: 0.6 max_detections_per_class: 100 max_total_detections: 100
    }
  }
} }
"""


@pytest.mark.parametrize("name", ["shapes", "traffic_signs"])
def test_checkpoint_and_frozen_graph_give_the_same_file(request, name, environment_python, tmp_path):
    model = request.getfixturevalue(name)
    source, cut = tmp_path / "source", tmp_path / "cut"
    source.mkdir()
    for file in ("frozen_inference_graph.pb", "pipeline.config"):
        shutil.copy(model.source / file, source)
    paths = cut / "graph.pb", cut / "contract.json", cut / "converted.tflite"
    run_warm(environment_python("tf2"), [export_command(source, model.images, cut), convert_command(*paths)])
    assert paths[2].read_bytes() == model.converted("ours", "detect_cut").read_bytes()


def test_frozen_graph_of_2018_without_a_pipeline_keeps_its_detections(zoo, photographs, environment_python, tmp_path):
    source, cut, regular = (tmp_path / name for name in ("source", "cut", "detect_regular"))
    source.mkdir()
    (frozen,) = zoo.glob("aiy_ssd_mobilenet_v1_0.125_person_cat_dog/*.pb")
    shutil.copy(frozen, source / "frozen_inference_graph.pb")
    (source / "pipeline.config").write_text(AIY_PIPELINE)
    images = [tmp_path / f"{path.stem}.png" for path in photographs]
    for photograph, image in zip(photographs, images, strict=True):  # its input has a fixed size
        Image.open(photograph).convert("RGB").resize((256, 256)).save(image)
    paths = regular / "graph.pb", regular / "contract.json", tmp_path / "detect_regular.tflite"
    run_warm(
        environment_python("tf2"),
        [
            export_command(source, images, cut, OVERRIDE),
            *postprocess_commands(cut, regular, {"use_regular_nms": True}),
            convert_command(*paths),
        ],
    )
    with np.load(cut / "golden.npz") as golden:
        contract, anchors = files.read_json(paths[1]), np.load(cut / "anchors.npy")
        found = detection_source.compare(contract, dict(golden), anchors).figures["source"]
    assert found["matched"] == found["expected"] == found["found"] >= 10
    assert found["score_difference"] < 1e-5
    assert found["lowest_iou"] > 0.9999
