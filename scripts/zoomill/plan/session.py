"""The beginning of a run: what may be asked for, the environment of jobs, and the lock of the working directory."""

import contextlib
import fcntl
import os
import shutil
import sys

from snakemake.cli import get_argument_parser
from snakemake.logging import logger
from snakemake_interface_executor_plugins.settings import DeploymentMethod

from zoomill import sandbox
from zoomill.errors import UserError
from zoomill.plan import cards, house, targets
from zoomill.plan.names import require
from zoomill.plan.plan import Plan
from zoomill.printable import printable


def begin(workflow, config, root):
    """Return the :class:`zoomill.plan.plan.Plan` of a run, after checking configuration, cards and targets.

    A broken card stops only what needs it. Any other mistake ends the process with one line.

    Args:
        workflow: Snakemake's.
        config: what Snakemake read from configuration files and command line; gets its defaults.
        root: folder of the repository.
    """
    try:
        paths = workflow.modifier.path_modifier
        if paths.prefix or paths.modifies_prefixes:
            raise UserError(
                "a module of zoomill can have no `prefix`: give its workflow a folder of its own by `workdir:`"
            )
        rooms = house.read(root, config)
        _check(workflow, rooms)
    except UserError as error:
        sys.exit(f"error: {printable(str(error))}")
    if workflow.is_main_process:
        for line in dict.fromkeys(map(str, rooms.broken.values())):
            logger.warning(f"left out: {printable(line)}")
    plan = Plan(config, rooms.catalogue, rooms.datasets, os.path.relpath(root))
    _prepare_jobs(config, root)
    if workflow.is_main_process:
        _say(workflow, plan)
    return plan


def _check(workflow, rooms):
    """Raise a UserError for a model or target that is asked for and cannot be had."""
    config, catalogue = rooms.config, rooms.catalogue
    for name in config["models"]:
        require(name, catalogue, "config.yaml: models", "model", rooms.broken)
    cards.check_c_names(catalogue, config["models"])
    wanted = _wanted(workflow)
    for target in wanted:
        targets.check(target, config, catalogue, rooms.datasets, rooms.broken)
    if workflow.is_main_process and not config["accept_new_digests"]:
        named = {part for target in wanted for part in target.split(os.sep)} if wanted else config["models"]
        targets.check_digests(named, catalogue, "sources.lock", "sources")


def _wanted(workflow):
    """Return the targets of the command line, which Snakemake hands on only after the Snakefile is read.

    Those of a workflow that uses ours as a module need not be ours.
    """
    return get_argument_parser().parse_known_args()[0].targets if workflow.modifier.is_main_snakefile() else []


def _prepare_jobs(config, root):
    """Fix the environment of all jobs; without conda, answer Snakemake's calls with a stand-in."""
    os.environ.update(
        PYTHONNOUSERSITE="1",
        PYTHONHASHSEED="0",
        TF_ENABLE_ONEDNN_OPTS="0",  # oneDNN computes with whatever the CPU has
        TF_CPP_MIN_LOG_LEVEL="2",
        CUDA_VISIBLE_DEVICES="",
        ZOOMILL_MIRRORS="\n".join(config["mirrors"]),
        ZOOMILL_TIME_LIMIT=str(config["time_limit"]),
        ZOOMILL_MEMORY_LIMIT=str(config["memory_limit"]),
    )
    if shutil.which("conda") is None:
        stand_in = f"{root}/envs/uv/bin"
        os.environ.update(ZOOMILL_PYTHON=sys.executable, PATH=os.pathsep.join([stand_in, *os.get_exec_path()]))
        logger.info("There is no conda: uv builds the environments.")


def _say(workflow, plan):
    """Say what nothing but the machine and the command line decide."""
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        logger.warning(
            "Jobs have no environments of their own: add --workflow-profile with zoomill's profiles/default."
        )
    for layer in sandbox.missing():
        logger.info(f"On this machine, {layer}: jobs are shut in by what else there is.")
    if plan.config["tfjs"] and plan.config["browser"]:
        if plan.wanted.in_browser():
            logger.info("Chromium is run in the proof of TensorFlow.js models.")
        else:
            logger.info(
                "Chromium is not on PATH: results/*/browser.json are left out; "
                "--config browser=True fetches one (70 MB, 210 MB unpacked)."
            )


def hold_folder(workflow):
    """Return a file whose kernel lock lives as long as this process, and undo the lock of a run that was killed.

    Snakemake's own lock is a file that outlives its process. Whoever gets the kernel's lock alone is the only run in
    this folder, so a lock of Snakemake's that stands there belongs to nobody.
    """
    os.makedirs(".snakemake", exist_ok=True)
    alive = open(".snakemake/alive", "w")  # noqa: SIM115
    with contextlib.suppress(OSError):  # another run lives: Snakemake says whether they collide
        if workflow.is_main_process:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(".snakemake/locks", ignore_errors=True)
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(alive, fcntl.LOCK_SH)
    return alive
