"""Check files of configuration before Snakemake reads them: it follows aliases without end and runs templates."""

import os
import sys

# The repository's, also where another workflow uses it as a module.
root = os.path.dirname(str(workflow.current_basedir))
sys.path.insert(0, f"{root}/scripts")

from zoomill.errors import UserError
from zoomill.printable import printable
from zoomill.yaml_file import load_yaml


def check_configuration(path):
    """Raise a UserError for a file that may not be read."""
    found = load_yaml(path)
    if isinstance(found, dict) and "__use_yte__" in found:
        raise UserError(f"{path}: __use_yte__ is not allowed: a template runs code")


try:
    # A module is given what its workflow has read.
    if not workflow.modifier.skip_configfile:
        given = list(map(str, workflow.overwrite_configfiles))
        if not given and not os.path.exists("config.yaml"):
            raise UserError(
                "config.yaml: is not in this folder; start where it is, or name one with --configfile FILE"
            )
        for path in filter(os.path.exists, ["config.yaml", *given]):
            check_configuration(path)
except UserError as error:
    sys.exit(f"error: {printable(str(error))}")
