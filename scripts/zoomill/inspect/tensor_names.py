"""Names that a contract, TensorFlow and TFLite all accept."""

import re

from zoomill.errors import UserError


def contract_names(names, origin):
    """Return the names without their output index (``:0``), characters other than ``A-Za-z0-9_.`` replaced by ``_``.

    Args:
        names: what the source calls its inputs or outputs.
        origin: file name for messages.

    Raises:
        UserError: when two names become one.
    """
    result = [re.sub(r"[^A-Za-z0-9_.]", "_", re.sub(r":0$", "", name)).lstrip("_.") for name in names]
    if len(set(result)) < len(result) or "" in result:
        raise UserError(f"{origin}: its inputs or outputs cannot be told apart by name: {', '.join(names)}")
    return result
