"""The linters that `make lint` runs find nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

TOOLS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    ["ruff check .", "ruff format --check .", "snakefmt --check Snakefile workflow rules", "snakemake --lint"],
    ids=["ruff check", "ruff format", "snakefmt", "snakemake lint"],
)
def test_linters_find_nothing(command):
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    name, *arguments = command.split()
    process = subprocess.run(
        [TOOLS / name, *arguments],
        cwd=REPOSITORY,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.returncode == 0, process.stdout[-4000:]
