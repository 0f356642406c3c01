"""What frameworks raise, as one line."""

import pytest

from zoomill.errors import UserError
from zoomill.framework import refusing

TRACED = 'in user code:\n\n    File "layer.py", line 3, in call\n        x\n\n    ValueError: sizes differ\n\n    more'


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("\n\n first \nsecond"), "first"),
        (MemoryError(), "MemoryError"),
        (RuntimeError(TRACED), "ValueError: sizes differ"),
        (RuntimeError("in user code:"), "in user code:"),
        (UserError("what is known better"), "what is known better"),
    ],
)
def test_a_failure_of_a_framework_is_one_line(error, reason):
    with pytest.raises(UserError) as caught, refusing("m.h5: Keras cannot load it"):
        raise error
    known = isinstance(error, UserError)
    assert str(caught.value) == (reason if known else f"m.h5: Keras cannot load it: {reason}")
