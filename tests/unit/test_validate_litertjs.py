"""What LiteRT.js cannot be given."""

import numpy as np
import pytest
import small_models

import validate_litertjs
from zoomill.tflite import tflite_file


@pytest.mark.parametrize(("dtype", "taken"), [(np.int8, False), (np.uint8, True), (np.int16, False)])
def test_ends_that_it_has_no_array_for_are_a_reason(dtype, taken):
    reason = validate_litertjs.why_not(small_models.rounded(dtype, 0.1, 0))
    wanted = f"input is {np.dtype(dtype).name}, and LiteRT.js reads and writes float32, int32, uint8"
    assert reason == (None if taken else wanted)


def test_a_detector_with_its_op_is_a_reason():
    model = small_models.heads(5, 4)
    assert validate_litertjs.why_not(model) is None
    tflite_file.append_postprocess(model, np.zeros((5, 4), np.float32), small_models.options())
    assert validate_litertjs.why_not(model).startswith("LiteRT.js has no TFLite_Detection_PostProcess; ")
