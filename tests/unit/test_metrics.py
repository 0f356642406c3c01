"""Metrics on cases small enough to be computed by hand."""

import numpy as np
import pytest

from zoomill import folders
from zoomill.errors import UserError
from zoomill.evaluation import coco, metrics

INPUT = {"name": "x", "tensor": "x", "shape": [1, 2], "dtype": "float32", "layout": None, "value_range": [-1, 1]}
CONTRACT = {"inputs": [INPUT], "outputs": [{"name": "y"}], "labels": [], "label_offset": 0}
CATEGORIES = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]


def metric(name, contract=CONTRACT, **options):
    return metrics.metric(metrics.Setting(contract, None, ""), name, **options)


def case(output, label=None, name="a", inputs=()):
    return metrics.Case(
        name, label, (), [{"x": each} for each in inputs], [{"y": np.array(each, np.float32)} for each in output]
    )


def ranks(top, *cases):
    return [top.row(each)["rank"] for each in cases]


def test_top_k_counts_the_columns_ahead():
    top = metric("top_k")
    rows = [top.row(case([[[0.1, 0.7, 0.2]]], label)) for label in (1, 2, 0)]
    assert [row["rank"] for row in rows] == [0, 1, 2]
    assert top.values(rows) == {"top_1": pytest.approx(1 / 3), "top_5": 1}
    six = [top.row(case([np.arange(6)], 0))]
    assert top.values(six) == {"top_1": 0, "top_5": 0}


def test_of_equal_scores_the_first_column_wins_so_that_a_constant_output_is_no_hit_for_all():
    flat = [[0.5, 0.5, 0.5]]
    assert ranks(metric("top_k"), case(flat, 0), case(flat, 1), case(flat, 2)) == [0, 1, 2]


def test_a_background_class_shifts_the_columns():
    scores = [[0, 0, 1]]  # background, class 0, class 1
    assert ranks(metric("top_k", offset=1), case(scores, 1)) == [0]
    assert ranks(metric("top_k", {**CONTRACT, "label_offset": -1}), case(scores, 1)) == [0]
    assert ranks(metric("top_k"), case(scores, 1)) != [0]


def test_a_class_beyond_the_columns_is_an_error():
    with pytest.raises(UserError, match="a: class 3 is in none of the 3 columns"):
        metric("top_k").row(case([[0, 0, 1]], 3))


def test_the_score_of_a_file_is_the_mean_of_its_windows():
    auc = metric("auc", machines="id_[0-9]+")
    windows = [np.array([[0.0, 0.0]]), np.array([[1.0, 1.0]])]
    row = auc.row(case([[[0, 2]], [[1, 1]]], 1, "anomaly_id_02_7.bin", windows))
    assert row == {"machine": "id_02", "label": 1, "score": 1.0}
    with pytest.raises(UserError, match="b: does not say its machine"):
        auc.row(case([[[0, 2]]], 1, "b", windows[:1]))


def test_classes_can_be_anomalies():
    auc = metric("auc", anomalies=[8, 9])
    rows = [auc.row(case([[[0, 0]]], label, inputs=[np.zeros((1, 2))])) for label in (1, 9)]
    assert [(row["machine"], row["label"]) for row in rows] == [("", 0), ("", 1)]


def test_landmarks_are_measured_in_pixels_and_without_depth():
    label = np.array([0.0, 0.0, 0.5, 0.5])
    row = metric("landmarks", size=10).row(case([[0.3, 0.4, 0.5, 0.5]], label))
    assert row["error"] == pytest.approx((5 + 0) / 2)
    deep = metric("landmarks", dimensions=3).row(case([[0, 0, 9, 0.5, 0.5, 9]], label))
    assert deep["error"] == 0
    with pytest.raises(UserError, match="a: has 2 points, the output 3"):
        metric("landmarks").row(case([[0] * 6], label))


def test_psnr_takes_the_range_of_values_as_peak():
    target = np.array([0, 255], np.uint8)  # -1 and 1 in the range of the input
    psnr = metric("psnr")
    rows = [psnr.row(case([[-1, 0.8]], target)), psnr.row(case([[-1, 1]], target))]
    assert [row["mse"] for row in rows] == pytest.approx([0.02, 0], abs=1e-8)
    assert psnr.values(rows)["psnr"] == pytest.approx((10 * np.log10(4 / 0.02) + 100) / 2, abs=1e-4)
    assert psnr.values(rows)["psnr_pooled"] == pytest.approx(10 * np.log10(4 / 0.01))
    assert metric("psnr", range=[0, 1]).row(case([[0, 1]], target))["mse"] == 0
    said = {**CONTRACT, "outputs": [{"name": "y", "value_range": [0, 2]}]}
    assert metric("psnr", said).row(case([[0, 2]], target))["mse"] == 0


def test_classes_are_found_by_name_order_or_number():
    two = {"labels": ["car", "person"], "label_offset": 1}
    assert coco.categories(CATEGORIES, two, "name", False) == {0: 3, 1: 1}
    assert coco.categories(CATEGORIES, two, "order", False) == {0: 1, 1: 3}
    assert coco.categories(CATEGORIES, two, "id", False) == {0: 1, 2: 3}


def test_a_model_that_knows_only_some_categories_must_say_so():
    one = {"labels": ["car"], "label_offset": 1}
    with pytest.raises(UserError, match="does not know the category person; `partial: true`"):
        coco.categories(CATEGORIES, one, "name", False)
    assert coco.categories(CATEGORIES, one, "name", True) == {0: 3}


def test_labels_that_are_no_categories_and_other_numbers_of_classes_are_refused():
    with pytest.raises(UserError, match="no category motorbike"):
        coco.categories(CATEGORIES, {"labels": ["motorbike"], "label_offset": 1}, "name", True)
    with pytest.raises(UserError, match="the model has 1 classes, the annotations 2"):
        coco.categories(CATEGORIES, {"labels": ["car"], "label_offset": 1}, "order", False)


@pytest.mark.parametrize(
    "form",
    [
        {"outputs": [{"name": "detections", "shape": [1, 9, 7]}]},
        {"outputs": [{"name": "head_0", "shape": [1, 2, 2, 14], "decode": {"classes": 2}}]},
        {"outputs": [{"name": "box_encodings", "shape": [1, 9, 4]}], "postprocess": {"num_classes": 2}},
    ],
)
def test_without_labels_as_many_classes_count_as_the_network_has(form):
    unnamed = {"labels": [], "label_offset": 0, **form}
    assert coco.categories(CATEGORIES, unnamed, "order", False) == {0: 1, 1: 3}
    with pytest.raises(UserError, match="the model has 2 classes, the annotations 1; `order` needs equal numbers"):
        coco.categories(CATEGORIES[:1], unnamed, "order", False)


def test_unknown_options_and_outputs_are_refused():
    with pytest.raises(UserError, match="metric top_k: .*offzet"):
        metric("top_k", offzet=1)
    with pytest.raises(UserError, match="name one of a, b"):
        metric("top_k", {**CONTRACT, "outputs": [{"name": "a"}, {"name": "b"}]})


def test_boxes_that_were_changed_since_the_data_set_was_made_are_refused(tmp_path):
    with folders.written(tmp_path / "set") as folder:
        (tmp_path / folder / "boxes.json").write_text("{}")
    (tmp_path / "set/boxes.json").write_text('{"images": []}')
    with pytest.raises(UserError, match="set/boxes.json: was changed after it was made; restore it by"):
        metrics.metric(
            metrics.Setting(CONTRACT, None, tmp_path / "set"), "coco", annotations="boxes.json", decode={"kind": "yolo"}
        )
