"""Evidence: what is known about one artifact, bound to its digest."""

import json
import math
import os

import numpy as np

from zoomill import files, folders, made


def add_arguments(parser):
    """Add the flags that all commands have which validate an artifact."""
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    parser.add_argument("--golden", type=made.checked, required=True, help="golden.npz of its source")
    parser.add_argument("--limits", required=True, type=json.loads, help="JSON object: heads, score, unmatched")
    parser.add_argument("--output", required=True)


def begin(args, contract):
    """Return what evidence says about every artifact."""
    return {
        "artifact": os.path.basename(args.artifact),
        "sha256": folders.digest(args.artifact),
        "bytes": folders.size(args.artifact),
        "model": contract["model"],
        "graph": contract["graph"],
        "variant": args.variant,
        "limits": args.limits,
    }


def read_golden(path):
    """Return ``{tensor: golden array}``."""
    with np.load(path) as stored:
        return dict(stored)


def output_failures(found, limits):
    """Return one phrase for every output that misses its limit.

    Args:
        found: what :func:`zoomill.parity.of_outputs` returned.
        limits: ``heads`` is the largest accepted error.
    """
    return [
        f"{name}: largest error {errors['max_abs']:.3g}, allowed {limits['heads']:g}"
        for name, errors in found.items()
        if not errors["max_abs"] <= limits["heads"]
    ]


def finish(path, evidence, found, failures):
    """Write evidence with its parity figures; an artifact that misses a limit has ``passed: false``."""
    document = {**evidence, "parity": found, "failures": failures, "passed": not failures}
    files.write_json(path, _finite(document))


def _finite(value):
    """Replace floats that are not finite, which JSON does not have, by None."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
