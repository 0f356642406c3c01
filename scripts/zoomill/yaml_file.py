"""Reading YAML, safely and with messages for people."""

import yaml

from zoomill.errors import UserError


def load_yaml(path):
    """Read a YAML file.

    Raises:
        UserError: when it is no valid YAML; the message has line and column.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise UserError(f"{path}: is no valid YAML{where}: {problem}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is no UTF-8 text: {error}") from error
