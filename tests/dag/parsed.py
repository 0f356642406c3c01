"""Snakemake's own reading of the workflow: what its rules say of any target, without starting a process or a job."""

import contextlib
import functools
import itertools
import os
import sys
from pathlib import Path
from unittest import mock

from snakemake.api import SnakemakeApi
from snakemake.output_index import OutputIndex
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

from zoomill.errors import UserError


class Fault(Exception):
    """What Snakemake would stop at."""


class Rules:
    """The rules of a parsed workflow, in whose folder the process stands."""

    def __init__(self, workflow):
        self.rules = list(workflow.rules)
        self.catalogue, self.datasets = workflow.globals["CATALOGUE"], workflow.globals["DATASETS"]
        self._check_target = workflow.globals["check_target"]
        self._index = OutputIndex(self.rules)
        self._faults = {}

    def refusal(self, target):
        """Return why a target is refused before Snakemake looks for rules, or None."""
        try:
            self._check_target(target, self.catalogue, self.datasets, {})
        except UserError as error:
            return str(error)
        return None

    def targets(self, names):
        """Return all that the outputs of rules look like; their constraints leave out some of it.

        Args:
            names: ``{wildcard: names to try}``, but of models, which are those of the catalogue.
        """
        names = {**names, "model": list(self.catalogue), "dataset": list(self.datasets)}
        names["source"] = names["model"] + names["dataset"]
        found = {}
        for pattern in (pattern for rule in self.rules for pattern in rule.output):
            wildcards = sorted(pattern.get_wildcard_names())
            for values in itertools.product(*(names[wildcard] for wildcard in wildcards)):
                found[str(pattern.apply_wildcards(dict(zip(wildcards, values, strict=True))))] = None
        return list(found)

    def unused(self, targets):
        """Return the outputs of rules that none of some targets looks like."""
        patterns = [pattern for rule in self.rules for pattern in rule.output]
        return [str(pattern) for pattern in patterns if not any(map(pattern.match, targets))]

    @functools.cache  # noqa: B019
    def inputs(self, target):
        """Return what the one rule that makes a target needs, nothing for a file that is there.

        Raises:
            Fault: when none or several make it, an input function or param fails, or there is no such environment.
        """
        producers = sorted(self._index.match_producers(target), key=lambda rule: rule.name)
        if not producers and os.path.exists(target):
            return []
        if len(producers) != 1:
            raise Fault(f"{target}: {' and '.join(rule.name for rule in producers) or 'no rule'} makes it")
        try:
            return _evaluated(producers[0], target)
        except Exception as error:
            message = " ".join(str(error).partition("Traceback")[0].split())
            raise Fault(f"{target}: {producers[0].name}: {type(error).__name__}: {message}") from error

    def fault(self, target):
        """Return why a target, or anything that it needs, directly or not, cannot be made, or None."""
        if target not in self._faults:
            self._faults[target] = f"{target} needs itself"
            try:
                self._faults[target] = next(filter(None, map(self.fault, self.inputs(target))), None)
            except Fault as fault:
                self._faults[target] = str(fault)
        return self._faults[target]


def _evaluated(rule, target):
    """Return the inputs of the job that makes a target, after evaluating all else that a rule says of it."""
    wildcards = rule.get_wildcards(target)
    inputs, outputs = rule.expand_input(wildcards)[0], rule.expand_output(wildcards)[0]
    rule.expand_params(wildcards, inputs, outputs, None)
    rule.expand_log(wildcards)
    rule.expand_benchmark(wildcards)
    environment = rule.expand_conda_env(wildcards).file.get_path_or_uri(secret_free=False)
    if not os.path.isfile(environment):
        raise FileNotFoundError(environment)
    return list(map(str, inputs))


@contextlib.contextmanager
def parsed(folder, config):
    """Yield the :class:`Rules` of the workflow in a folder, which is left again in the end.

    Args:
        folder: of a Snakefile and all that belongs to it.
        config: settings instead of those in config.yaml.
    """
    settings = ConfigSettings(config=config)
    paths = list(sys.path)
    with (
        mock.patch.dict(os.environ),
        mock.patch.object(sys, "argv", ["snakemake"]),
        SnakemakeApi(OutputSettings(quiet=None)) as api,
    ):
        read = api.workflow(ResourceSettings(cores=1), settings, snakefile=folder / "Snakefile", workdir=folder)
        yield Rules(read._workflow)
    sys.path[:] = paths


def house(repository, folder, cards):
    """Make a folder that is the repository with other cards of models.

    Args:
        repository: its path.
        folder: to make.
        cards: ``{model: text}``.
    """
    (folder / "models").mkdir(parents=True)
    for name in (
        "Snakefile",
        "artifacts.lock",
        "config.yaml",
        "datasets",
        "envs",
        "rules",
        "scripts",
        "starter",
        "web",
    ):
        (folder / name).symlink_to(Path(repository) / name)
    for model, text in cards.items():
        (folder / f"models/{model}.yaml").write_text(text)
    return folder
