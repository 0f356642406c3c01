"""Snakemake's own reading of the workflow: what its rules say of any target, without starting a process or a job."""

import contextlib
import functools
import itertools
import os
import sys
from pathlib import Path
from unittest import mock

from snakemake.api import SnakemakeApi
from snakemake.io import get_wildcard_names, strip_wildcard_constraints
from snakemake.output_index import OutputIndex
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

from zoomill.errors import UserError
from zoomill.plan import targets

_PARTS = ("Snakefile", "artifacts.lock", "config.yaml", "datasets", "envs", "rules", "scripts", "starter", "web")


class Fault(Exception):
    """What Snakemake would stop at."""


class Rules:
    """The rules of a parsed workflow, in whose folder the process stands."""

    def __init__(self, workflow):
        self.rules = list(workflow.rules)
        self.plan = workflow.globals["plan"]
        self.catalogue, self.datasets = self.plan.catalogue, self.plan.datasets
        self._index = OutputIndex(self.rules)
        self._faults = {}
        _evaluated.cache_clear()

    def refusal(self, target):
        """Return why a target is refused before Snakemake looks for rules, or None."""
        try:
            targets.check(target, self.plan.config, self.catalogue, self.datasets, {})
        except UserError as error:
            return str(error)
        return None

    def targets(self, names):
        """Return all that the outputs of rules look like, of which constraints leave out some, and rules without any.

        Args:
            names: ``{wildcard: names to try}``, but of models, which are those of the catalogue.
        """
        names = {**names, "model": list(self.catalogue), "dataset": list(self.datasets)}
        names["source"] = names["model"] + names["dataset"]
        outputs = dict.fromkeys(strip_wildcard_constraints(str(one)) for rule in self.rules for one in rule.output)
        found = dict.fromkeys(rule.name for rule in self.rules if not rule.output)
        for pattern in outputs:
            wildcards = sorted(get_wildcard_names(pattern))
            for values in itertools.product(*(names[wildcard] for wildcard in wildcards)):
                found[pattern.format(**dict(zip(wildcards, values, strict=True)))] = None
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
        producers = [rule for rule in self.rules if rule.name == target]
        producers += sorted(self._index.match_producers(target), key=lambda rule: rule.name)
        if not producers and os.path.exists(target):
            return []
        if len(producers) != 1:
            raise Fault(f"{target}: {' and '.join(rule.name for rule in producers) or 'no rule'} makes it")
        try:
            made = target if producers[0].output else None
            return _evaluated(producers[0], tuple(producers[0].get_wildcards(made).items()))
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


@functools.cache
def _evaluated(rule, wildcards):
    """Return the inputs of a job, after evaluating all else that its rule says of it."""
    wildcards = dict(wildcards)
    inputs, outputs = rule.expand_input(wildcards)[0], rule.expand_output(wildcards)[0]
    rule.expand_params(wildcards, inputs, outputs, None)
    rule.expand_log(wildcards)
    rule.expand_benchmark(wildcards)
    if environment := rule.expand_conda_env(wildcards):
        os.stat(environment.file.get_path_or_uri(secret_free=False))
    return list(map(str, inputs))


@contextlib.contextmanager
def parsed(folder, config, cores=1):
    """Yield the :class:`Rules` of the workflow in a folder, which is left again in the end.

    Args:
        folder: of a Snakefile and all that belongs to it.
        config: settings instead of those in config.yaml.
        cores: that a run has.
    """
    settings = ConfigSettings(config=config)
    paths = list(sys.path)
    with (
        mock.patch.dict(os.environ),
        mock.patch.object(sys, "argv", ["snakemake"]),
        SnakemakeApi(OutputSettings(quiet=None)) as api,
    ):
        read = api.workflow(ResourceSettings(cores=cores), settings, snakefile=folder / "Snakefile", workdir=folder)
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
    for name in _PARTS:
        (folder / name).symlink_to(Path(repository) / name)
    for model, text in cards.items():
        (folder / f"models/{model}.yaml").write_text(text)
    return folder
