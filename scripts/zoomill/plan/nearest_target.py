"""What a target that no rule makes was meant to be."""

import contextlib
import difflib
import itertools
import os

from snakemake.io import get_wildcard_names, strip_wildcard_constraints

from zoomill.errors import UserError
from zoomill.plan import accelerators, otherwise, targets, variants
from zoomill.plan.samples import PURPOSES

_SHOWN, _LOOKED_AT, _CUTOFF = 3, 30, 0.6


def require(target, rules, plan):
    """Raise a UserError with the nearest targets for one that no rule makes.

    Args:
        target: as on the command line.
        rules: Snakemake's.
        plan: :class:`zoomill.plan.plan.Plan`.
    """
    if any(rule.name == target or rule.is_producer(target) for rule in rules):
        return
    path = os.path.relpath(target)
    folder, last = os.path.split(path)
    if last in plan.catalogue and folder in ("", "build", "results"):
        raise UserError(f"{target}: is no target; all that config.yaml asks for of it: ./zoomill build {last}")
    near = _nearest(path, rules, plan)
    advice = f"; did you mean {' or '.join(near)}?" if near else "; docs/architecture.md lists what can be had"
    raise UserError(f"{target}: no rule makes it{advice}")


def _nearest(path, rules, plan):
    known = _known(path, rules, plan)
    if path in known:
        return [path]
    found = difflib.get_close_matches(path, sorted(known), n=_LOOKED_AT, cutoff=_CUTOFF)
    return [target for target in found if _can_be_had(target, plan)][:_SHOWN]


def _can_be_had(target, plan):
    with contextlib.suppress(UserError):
        targets.check(target, plan.config, plan.catalogue, plan.datasets, {})
        return True
    return False


def _known(path, rules, plan):
    """Return all that rules make of the model whose name is nearest to a part of a path."""
    model = _nearest_name(path, plan.catalogue)
    values = {
        "model": model,
        "source": model + _nearest_name(path, plan.datasets),
        "dataset": _nearest_name(path, plan.datasets),
        "graph": list(dict.fromkeys(graph for name in model for graph in [*plan.catalogue[name]["graphs"], "layers"])),
        "variant": list(dict.fromkeys(variants.names())),
        "purpose": PURPOSES,
        "kernels": ["", ".micro"],
        "otherwise": otherwise.NAMES,
        "compiled": ["", *(row.end for row in accelerators.TABLE)],
    }
    known = {rule.name for rule in rules if not rule.has_wildcards()}
    for output in (output for rule in rules for output in rule.output):
        pattern = strip_wildcard_constraints(str(output))
        names = sorted(get_wildcard_names(pattern))
        for chosen in itertools.product(*(values[name] for name in names)):
            candidate = pattern.format(**dict(zip(names, chosen, strict=True)))
            if output.match(candidate):
                known.add(candidate)
    return known


def _nearest_name(path, names):
    near = {part: difflib.get_close_matches(part, names, n=1) for part in path.split(os.sep)}
    return next(([name] for [name] in sorted(filter(None, near.values()), key=lambda one: one[0] not in path)), [])
