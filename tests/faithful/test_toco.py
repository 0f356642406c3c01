"""TOCO as our command calls it, in TensorFlow 1.13.1 and 2.17.1, against the original command line tool."""

import numpy as np
import pytest
from rows import flag

import finish_toco
from faithful.models import GRAPHS
from faithful.processes import HERE, run
from zoomill import files
from zoomill.errors import UserError
from zoomill.tflite import tflite_file

pytestmark = pytest.mark.slow


def assert_same_outputs(model, graph, one, other):
    for expected, found in zip(model.outputs(one, graph), model.outputs(other, graph), strict=True):
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name], name, strict=True)


def operators(path):
    return tflite_file.operators(tflite_file.read(path))


@pytest.mark.parametrize("graph", GRAPHS)
def test_first_and_last_toco_agree_bit_by_bit(model, graph, toco):
    first, last = (toco(release, model, "ours", graph) for release in ("1.13.1", "2.17.1"))
    assert_same_outputs(model, graph, first.artifact, last.artifact)
    assert operators(first.artifact) == operators(last.artifact)
    counts, later = files.read_json(first.counts), files.read_json(last.counts)
    # TensorFlow 1.13.1 writes them with six digits.
    assert counts.pop("arithmetic_operations") == pytest.approx(later.pop("arithmetic_operations"), rel=1e-5)
    assert counts == later
    assert counts["operators_after"] == sum(operators(first.artifact).values())


@pytest.mark.parametrize("graph", GRAPHS)
def test_our_graph_and_the_originals_agree_bit_by_bit_after_the_first_toco(model, graph, toco):
    original, ours = (toco("1.13.1", model, route, graph) for route in ("original", "ours"))
    assert_same_outputs(model, graph, original.artifact, ours.artifact)
    assert operators(original.artifact) == operators(ours.artifact)


# Not traffic_signs: the tool refuses what the exporter of TensorFlow 1.15 wrote (attribute explicit_paddings).
@pytest.mark.parametrize("name", ["shapes", "coco"])
@pytest.mark.parametrize("graph", ["detect_cut", "detect_regular"])
def test_command_line_tool_writes_the_file_that_our_command_writes(
    request, name, graph, toco, original_python, tmp_path
):
    model, path = request.getfixturevalue(name), tmp_path / "detect.tflite"
    contract = model.contract(graph)
    run(
        original_python("tf1"),
        "toco",
        f"--graph_def_file={model.graph('original', graph)}",
        f"--output_file={path}",
        f"--input_shapes={','.join(map(str, contract['inputs'][0]['shape']))}",
        "--input_arrays=normalized_input_image_tensor",
        f"--output_arrays={','.join(output['tensor'] for output in contract['outputs'])}",
        "--inference_type=FLOAT",
        "--allow_custom_ops",
    )
    written, ours = tflite_file.read(path), tflite_file.read(toco("1.13.1", model, "original", graph).raw)
    if graph != "detect_cut":  # the order of its options changes from run to run
        tflite_file.canonicalise(written)
        tflite_file.canonicalise(ours)
    assert tflite_file.serialise(written) == tflite_file.serialise(ours)


def test_fused_batch_norm_v3_becomes_a_convolution_in_the_first_toco(shapes, original_python, toco, tmp_path):
    contract, untouched = shapes.contract_path("detect_cut"), tmp_path / "untouched.tflite"
    run(original_python("tf1"), HERE / "untouched_toco.py", shapes.graph("ours", "detect_cut"), contract, untouched)
    assert operators(untouched)["FusedBatchNormV3"] == 35  # and yet TOCO reports success
    with pytest.raises(UserError, match="no runtime knows: FusedBatchNormV3"):
        finish = ["--raw", str(untouched), "--contract", str(contract), "--variant", flag("toco_float32")]
        finish_toco.main([*finish, "--output", str(tmp_path / "finished")])
    assert set(operators(toco("1.13.1", shapes, "ours", "detect_cut").raw)) <= tflite_file.BUILTIN_NAMES


def test_original_exporter_and_first_toco_give_the_figures_of_the_mlperf_recipe(coco, toco):
    assert files.read_json(toco("1.13.1", coco, "original", "detect_regular").counts) == {
        "operators_before": 500,
        "arrays_before": 754,
        "operators_after": 64,
        "arrays_after": 176,
        "transient_bytes": 11520000,
        "optimal_transient_bytes": 8640000,
        "arithmetic_operations": 2494830000,  # "2.49483 billion"
    }
    assert len(coco.anchors) == 1917


def test_our_graph_starts_with_more_operators_and_ends_at_the_figures_of_the_mlperf_recipe(coco, toco):
    counts = files.read_json(toco("2.17.1", coco, "ours", "detect_regular").counts)
    assert counts == {
        "operators_before": 628,  # the 2018 meta graph multiplies batch norm out
        "arrays_before": 917,
        "operators_after": 64,
        "arrays_after": 176,
        "transient_bytes": 11520000,
        "optimal_transient_bytes": 8640000,
        "arithmetic_operations": 2494829795,
    }
