"""Float files of which no variant is made: one line says why, and what to do."""

import pytest
from refusals import refusal
from small_models import Builder

from zoomill.tflite import calibration, quantisable, quantiser, tflite_file


def of(operator):
    """Return a model of one operator."""
    builder = Builder()
    ends = [builder.tensor(name, [1, 4]) for name in "xy"]
    builder.operator(operator, ends[:1], ends[1:])
    return builder.build(ends[:1], ends[1:])


@pytest.mark.parametrize("loop", ["WHILE", "IF"])
def test_what_runs_inside_of_a_loop_is_not_calibrated(loop, tmp_path):
    line = refusal(quantisable.check, "m.tflite", of(loop), calibrated=True)
    assert line.startswith(f"m.tflite: the tensors inside of {loop}") and "`unroll=True`" in line
    quantisable.check("m.tflite", of(loop), calibrated=False)
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite_file.serialise(of(loop)))
    assert "`unroll=True`" in refusal(calibration.ranges, path, {}, [])


def test_a_file_that_holds_its_integers_already_is_made_nothing_else(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite_file.serialise(of("QUANTIZE")))
    line = refusal(quantiser.quantise, path, "float16")
    assert "1 QUANTIZE in it, of fake-quant nodes" in line and "take tf_int8" in line
