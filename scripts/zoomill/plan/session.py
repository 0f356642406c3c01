"""The beginning of a run: what may be asked for, the environment of jobs, and the lock of the working directory."""

import atexit
import contextlib
import copy
import fcntl
import functools
import gc
import os
import re
import shutil
import sys

from snakemake.cli import get_argument_parser
from snakemake.logging import logger
from snakemake_interface_executor_plugins.settings import DeploymentMethod

from zoomill import sandbox
from zoomill.errors import UserError
from zoomill.plan import cards, house, nearest_target, studies, targets, warm
from zoomill.plan.names import select
from zoomill.plan.plan import Plan
from zoomill.plan.source_states import SourceStates
from zoomill.printable import printable


def begin(workflow, config, root):
    """Return the :class:`zoomill.plan.plan.Plan` of a run, after checking configuration, cards and targets.

    A broken card stops only what needs it. Any other mistake ends the process with one line.

    Args:
        workflow: Snakemake's.
        config: what Snakemake read from configuration files and command line; gets its defaults.
        root: folder of the repository.
    """
    gc.set_threshold(100_000, 20, 100)  # to look for garbage in a graph of jobs is a seventh of planning and finds none
    atexit.register(gc.freeze)  # nor does Python's own at its end, which takes 0.3 s
    asked = _asked(workflow)
    try:
        paths = workflow.modifier.path_modifier
        if paths.prefix or paths.modifies_prefixes:
            raise UserError(
                "a module of zoomill can have no `prefix`: give its workflow a folder of its own by `workdir:`"
            )
        rooms = _rooms(workflow, config, root)
        named = _named(workflow, asked, rooms)
        plan = Plan(config, rooms.catalogue, rooms.datasets, os.path.relpath(root), named)
        states = SourceStates(plan.downloads, config)
        left_out = _choose(rooms, states, asked.targets)
        if workflow.is_main_process:
            for line in dict.fromkeys(left_out):
                logger.warning(f"left out: {printable(line)}")
            _tell_sources(plan, states, asked)
    except UserError as error:
        sys.exit(f"error: {printable(str(error))}")
    warm.begin(root, config["warm"])
    _prepare_jobs(config, root)
    if workflow.is_main_process:
        _say(workflow, plan)
    return plan


def _rooms(workflow, config, root):
    """Return the configuration and the cards, which stand in folders that a file or the command line names."""
    if workflow.modifier.skip_configfile:  # a module is given what its workflow has read
        return house.read(root, (), config, os.curdir)
    configfiles = [*filter(os.path.exists, ["config.yaml"]), *map(str, workflow.overwrite_configfiles)]
    said_there = "cards" in workflow.config_settings.config
    return house.read(root, configfiles, config, os.curdir if said_there else None)


def _choose(rooms, states, wanted):
    """Put the names of models in the place of patterns, and return a line for each card that is left out.

    Raises:
        UserError: for a model or target that is asked for and cannot be had.
    """
    config, catalogue = rooms.config, rooms.catalogue
    named = config["models"]
    found, broken = catalogue.read(select(named, catalogue, "config.yaml: models", "model"))
    for model in filter(broken.get, named):
        raise broken[model]
    reasons = {model: states.undigested(model) for model in found if model not in named}
    config["models"] = [model for model in found if not reasons.get(model)]
    cards.check_c_names(catalogue, config["models"])
    targets.check_c_arrays(config["c_arrays"])
    studies.check(config, catalogue, rooms.datasets, rooms.broken)
    for target in wanted:
        targets.check(target, config, catalogue, rooms.datasets, rooms.broken)
    if "catalogue" in wanted:
        broken = catalogue.read()[1]
    return [*map(str, (rooms.broken | broken).values()), *filter(None, reasons.values())]


def _named(workflow, asked, rooms):
    """Return the models that jobs can be about besides those of the configuration, and other words.

    They are those of the command line; in the workflow of others, who may ask for any, all.
    """
    if not workflow.modifier.is_main_snakefile():
        return rooms.catalogue
    return re.findall(r"\w+", str([asked.targets, asked.target_jobs]))


def _tell_sources(plan, states, asked):
    """Say which files of this machine are others than before, and before a dry run where each model's source is.

    Raises:
        UserError: for a model that cannot be fetched for want of a digest.
    """
    parts = {part for target in asked.targets for part in target.split(os.sep)} or plan.config["models"]
    models = [model for model in plan.catalogue if model in parts]
    lines = [*filter(None, map(states.changes, models))]
    if asked.dryrun and models:
        width = max(map(len, models))
        lines += ["Sources:", *(f"  {model:{width}}  {states.of(model)}" for model in models)]
    for line in lines:
        logger.info(printable(line))
    for reason in filter(None, map(states.undigested, models)):
        raise UserError(reason)


def check_targets(workflow, plan):
    """End the process with one line for a target that no rule makes."""
    try:
        for target in _asked(workflow).targets:
            nearest_target.require(target, list(workflow.rules), plan)
    except UserError as error:
        sys.exit(f"error: {printable(str(error))}")


def settle_schedule(workflow, plan):
    """Let the TFLite files of the model that is configured first come first, and local jobs start without a limit.

    With its limit of starts in a second, Snakemake follows each look at the jobs that wait by another one a second
    later, and those by others: a run of n jobs came to n looks a second.
    """
    if not workflow.modifier.is_main_snakefile():  # another workflow has targets of its own
        return
    execute = workflow.execute
    names = plan.wanted.artifacts("tflite", models=plan.config["models"][:1])

    def settled(executor_plugin, *args, **kwargs):
        settings = workflow.scheduling_settings
        # Snakemake makes targets of what has priority, and `--forcetargets` would force those too.
        if not (workflow.dag_settings.targets or workflow.dag_settings.forcetargets):
            settings.prioritytargets |= {name.file("evidence") for name in names}
        if executor_plugin.common_settings.local_exec:
            settings.max_jobs_per_timespan = None
        execute(executor_plugin, *args, **kwargs)

    workflow.execute = settled


def _asked(workflow):
    """Return the command line, whose targets Snakemake hands on only after the Snakefile is read."""
    asked = copy.copy(_command_line())
    if not workflow.modifier.is_main_snakefile():  # those of another workflow need not be ours
        asked.targets = []
    return asked


@functools.cache
def _command_line():
    return get_argument_parser().parse_known_args()[0]


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
            for leftover in (".snakemake/locks", warm.FOLDER):
                shutil.rmtree(leftover, ignore_errors=True)
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(alive, fcntl.LOCK_SH)
    return alive
