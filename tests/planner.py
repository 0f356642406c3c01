"""Dry runs of Snakemake as forks of a process that has imported it, by the client of warm processes."""

import os
import shutil
import sys

import environments

_MODULES = ("snakemake.cli", "snakemake.workflow", "jinja2", "jsonschema", "requests", "smart_open", "yte")
_PLAN = "import sys\nfrom snakemake.cli import main\n\nsys.argv[0] = 'snakemake'\nsys.exit(main())\n"


def prepare(folder):
    """Return the words that stand for `snakemake` in a command, and the variables that they need.

    Args:
        folder: an empty one of ours alone; the warm process lives as long as this one.
    """
    shutil.copytree(environments.REPOSITORY / "envs/warm", folder / "warm")
    (folder / "warm/heavy.py").write_text(f"IMPORTS, LARGE = {{'plan': {_MODULES}}}, ()\n")
    (folder / "plan.py").write_text(_PLAN)
    words = [sys.executable, "-I", "-S", str(folder / "warm/client.py"), str(folder / "plan.py")]
    return words, {"ZOOMILL_WARM": f"{os.getpid()}:{folder}/sockets"}
