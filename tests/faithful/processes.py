"""Running commands in the environments of several TensorFlow releases."""

import os
import subprocess
from pathlib import Path

from conftest import REPOSITORY

HERE = Path(__file__).parent
SCRIPTS = REPOSITORY / "scripts"
# As rules/common.smk sets them for all jobs.
_VARIABLES = {
    "PYTHONNOUSERSITE": "1",
    "PYTHONHASHSEED": "0",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "",
}


def run(python, *arguments):
    """Run a script or a tool of an environment, the library importable, and return what it printed.

    Args:
        python: Python of the environment, whose folder comes first on PATH as in a job.
        arguments: a script for it with its arguments; or the name of another program in its folder with them.
    """
    folder = Path(python).parent
    command = [str(argument) for argument in arguments]
    command = [str(python), *command] if command[0].endswith(".py") else [str(folder / command[0]), *command[1:]]
    path = os.pathsep.join([str(folder), *os.get_exec_path()])
    environment = {**os.environ, **_VARIABLES, "PATH": path, "PYTHONPATH": str(SCRIPTS)}
    process = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=300)
    assert process.returncode == 0, process.stderr[-5000:]
    return process.stdout
