"""What a refusal says."""

import pytest

from zoomill.errors import UserError


def refusal(function, *args, **kwargs):
    """Return the message, one line, with which something is refused."""
    with pytest.raises(UserError) as caught:
        function(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return message
