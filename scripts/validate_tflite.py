"""Compare a .tflite artifact with its contract and the golden outputs, and write the evidence."""

import argparse
import json
import math
import os

import numpy as np

from zoomill import artifact, command, files, parity, postprocess, runtime, tflite_file


def main(argv=None):
    """Write the evidence; an artifact that misses a limit is delivered with ``passed: false``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", required=True, help=".tflite file")
    parser.add_argument("--contract", required=True, help="contract.json of its graph")
    parser.add_argument("--golden", required=True, help="golden.npz of its source")
    parser.add_argument("--anchors", nargs="*", help="anchors.npy of a detection graph")
    parser.add_argument("--variant", required=True, choices=sorted(artifact.VARIANTS))
    parser.add_argument("--limits", required=True, help="JSON object: heads, score")
    parser.add_argument("--figures", nargs="*", help="JSON file of the conversion's own figures")
    parser.add_argument("--output", required=True)
    args = parser.parse_args(argv)
    contract, limits = files.read_json(args.contract), json.loads(args.limits)
    model = tflite_file.read(args.artifact)
    options = tflite_file.postprocess_options(model)
    with np.load(args.golden) as stored:
        golden = dict(stored)
    evidence = {
        "artifact": os.path.basename(args.artifact),
        "sha256": files.digest(args.artifact),
        "bytes": os.path.getsize(args.artifact),
        "model": contract["model"],
        "graph": contract["graph"],
        "variant": args.variant,
        **tflite_file.describe(model),
        "limits": limits,
    }
    run = runtime.Artifact(args.artifact)
    if options:
        evidence["postprocess"] = vars(options)
        found = parity.of_detections(run, contract, golden, np.load(args.anchors[0]), limits["score"])
        failures = detection_failures(found, limits)
        failures += postprocess.Options(**contract["postprocess"]).differences(options)
    else:
        found = parity.of_outputs(run, contract, golden)
        failures = [
            f"{name}: largest error {errors['max_abs']:.3g}, allowed {limits['heads']:g}"
            for name, errors in found.items()
            if not errors["max_abs"] <= limits["heads"]
        ]
    if args.figures:
        evidence["conversion"] = files.read_json(args.figures[0])
    evidence.update(parity=without_nan(found), failures=failures, passed=not failures)
    files.write_json(args.output, evidence)


def without_nan(value):
    """Replace floats that are not finite, which JSON does not have, by None."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def detection_failures(found, limits):
    """Return one phrase for every way in which detections miss the limits."""
    failures = []
    for name in ("expected", "source"):
        pairs = found.get(name)
        if pairs is None:
            continue
        if pairs["missing"] + pairs["surplus"] > limits["unmatched"] * pairs["expected"]:
            failures.append(
                f"{name}: {pairs['missing']} of {pairs['expected']} detections missing, {pairs['surplus']} surplus"
            )
        if not pairs["score_difference"] <= limits["score"]:
            failures.append(f"{name}: scores differ by {pairs['score_difference']:.3g}, allowed {limits['score']:g}")
    return failures


if __name__ == "__main__":
    command.run(main)
