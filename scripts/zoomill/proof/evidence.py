"""Evidence: what is known about one artifact, bound to its digest."""

import json
import math
import os
import typing

import numpy as np

from zoomill import files, folders, made


class Verdict(typing.NamedTuple):
    """Figures, and one phrase for everything that failed or was not tested."""

    figures: dict
    failures: list
    not_tested: list


def add_arguments(parser):
    """Add the flags that all commands have which validate an artifact."""
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    parser.add_argument("--golden", type=made.checked, required=True, help="golden.npz of its source")
    parser.add_argument("--limits", required=True, type=json.loads, help="JSON object: sqnr, share …")
    parser.add_argument("--output", type=made.output, required=True)


def begin(artifact, variant, limits, contract):
    """Return what evidence says about every artifact.

    Args:
        artifact: its path.
        variant: name of its variant.
        limits: what it is measured by.
        contract: that of its graph.
    """
    return {
        "artifact": os.path.basename(artifact),
        "sha256": folders.digest(artifact),
        "bytes": folders.size(artifact),
        "model": contract["model"],
        "graph": contract["graph"],
        "variant": variant,
        "limits": limits,
    }


def read_golden(path):
    """Return ``{tensor: golden array}`` of a file, or of a list of at most one."""
    if isinstance(path, list):
        return read_golden(*path) if path else {}
    with np.load(path) as stored:
        return dict(stored)


def finish(path, evidence, found, failures, not_tested, reason=None):
    """Write evidence with its parity figures and its verdict.

    Args:
        path: of the JSON file.
        evidence: what :func:`begin` returned, and more.
        found: parity figures.
        failures: one phrase for every limit that is missed.
        not_tested: one phrase for every question that the golden inputs could not answer; without failures the verdict
            is then ``not tested``, which is no pass.
        reason: why the question does not arise for this artifact, which is no fault of it; the verdict is then
            ``does not apply``.
    """
    verdict = "failed" if failures else "not tested" if not_tested else "does not apply" if reason else "passed"
    document = {
        **evidence,
        "parity": found,
        "failures": failures,
        "not_tested": not_tested,
        "verdict": verdict,
        "passed": not failures and not not_tested,
    }
    files.write_json(path, finite(document))


def finish_gate(path, evidence, gate, found, reason=None, said=""):
    """Write the evidence of a gate.

    Args:
        path: of the JSON file.
        evidence: what :func:`begin` returned, and more.
        gate: name of a row of :data:`zoomill.plan.gates.TABLE`.
        found: :class:`Verdict`.
        reason: why such a file cannot be taken there, which is no fault of it.
        said: a few words for the table of the summary.
    """
    finish(path, {**evidence, "gate": gate, "said": said, "reason": reason}, *found, reason)


def finite(value):
    """Return a value in which floats that are not finite, which JSON does not have, are None."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
