"""Figures in TOCO's log."""

from zoomill.toco import binding

TENSORFLOW_1 = """\
2019-04-22 09:11:44.354655: I tensorflow/lite/toco/graph_transformations/graph_transformations.cc:39] \
Before Removing unused ops: 500 operators, 754 arrays (0 quantized)
2019-04-22 09:11:44.385112: I tensorflow/lite/toco/graph_transformations/graph_transformations.cc:39] \
Before general graph transformations: 500 operators, 754 arrays (0 quantized)
2019-04-22 09:11:44.402990: I tensorflow/lite/toco/graph_transformations/graph_transformations.cc:39] \
Before dequantization graph transformations: 64 operators, 176 arrays (0 quantized)
2019-04-22 09:11:44.405046: I tensorflow/lite/toco/allocate_transient_arrays.cc:345] \
Total transient array allocated size: 11520000 bytes, theoretical optimal value: 8640000 bytes.
2019-04-22 09:11:44.405323: I tensorflow/lite/toco/toco_tooling.cc:399] \
Estimated count of arithmetic ops: 2.49483 billion (note that a multiply-add is counted as 2 ops).
"""
TENSORFLOW_2 = """\
2026-01-20 10:17:58.185164: I tensorflow/lite/toco/graph_transformations/graph_transformations.cc:39] \
Before Removing unused ops: 534 operators, 837 arrays (0 quantized)
2026-01-20 10:17:58.293945: I tensorflow/lite/toco/graph_transformations/graph_transformations.cc:39] \
Before dequantization graph transformations: 63 operators, 171 arrays (0 quantized)
2026-01-20 10:17:58.295041: I tensorflow/lite/toco/allocate_transient_arrays.cc:346] \
Total transient array allocated size: 2097152 bytes, theoretical optimal value: 2097152 bytes.
I0000 00:00:1795169878.295150   21570 toco_tooling.cc:456] \
Estimated count of arithmetic ops: 61339712 ops, equivalently 30669856 MACs
"""


def test_the_log_of_tensorflow_1_is_read():
    assert binding.log_counts(TENSORFLOW_1) == {
        "operators_before": 500,
        "arrays_before": 754,
        "operators_after": 64,
        "arrays_after": 176,
        "transient_bytes": 11520000,
        "optimal_transient_bytes": 8640000,
        "arithmetic_operations": 2494830000,
    }


def test_the_log_of_tensorflow_2_is_read():
    assert binding.log_counts(TENSORFLOW_2) == {
        "operators_before": 534,
        "arrays_before": 837,
        "operators_after": 63,
        "arrays_after": 171,
        "transient_bytes": 2097152,
        "optimal_transient_bytes": 2097152,
        "arithmetic_operations": 61339712,
    }


def test_the_log_of_a_uint8_conversion_ends_with_another_step():
    log = """\
Before quantization graph transformations: 65 operators, 177 arrays (1 quantized)
After quantization graph transformations pass 5: 64 operators, 176 arrays (159 quantized)
Before shuffling of FC weights: 64 operators, 176 arrays (159 quantized)
"""
    assert binding.log_counts(log) == {"operators_after": 64, "arrays_after": 176}


def test_figures_that_a_log_does_not_have_are_left_out():
    assert binding.log_counts("") == {}
    first_line = TENSORFLOW_1.splitlines()[0]
    assert binding.log_counts(first_line) == {"operators_before": 500, "arrays_before": 754}


def test_the_array_that_lacks_a_range_is_named():
    line = (
        "F tensorflow/lite/toco/tooling_util.cc:1736] Array net/Relu6, which is an input to the DepthwiseConv operator "
        "producing the output array net/Relu6_1, is lacking min/max data, which is necessary for quantization."
    )
    assert binding.lacking_range(TENSORFLOW_2 + line) == "net/Relu6"
    assert binding.lacking_range(TENSORFLOW_2) is None
