"""Compare a .tflite artifact with its contract and the golden outputs, and write the evidence."""

import argparse
import os

import numpy as np

from zoomill import artifact, command, evidence, files, made, parity, postprocess, runtime, tflite_file


def main(argv=None):
    """Write the evidence; an artifact that misses a limit is delivered with ``passed: false``."""
    parser = argparse.ArgumentParser(description=__doc__)
    evidence.add_arguments(parser)
    parser.add_argument("--anchors", type=made.checked, nargs="*", help="anchors.npy of a detection graph")
    parser.add_argument("--variant", required=True, choices=sorted(artifact.VARIANTS))
    parser.add_argument("--figures", type=made.checked, nargs="*", help="JSON file of the conversion's own figures")
    parser.add_argument(
        "--calibration", type=made.checked, nargs="*", help="calibration.json that the artifact was quantised with"
    )
    parser.add_argument(
        "--beside", type=made.checked, nargs="*", help="the same variant by another quantiser, to be compared with"
    )
    args = parser.parse_args(argv)
    contract = files.read_json(args.contract)
    model = tflite_file.read(args.artifact)
    options = tflite_file.postprocess_options(model)
    golden = evidence.read_golden(args.golden)
    document = evidence.begin(args, contract) | tflite_file.describe(model)
    run = runtime.Artifact(args.artifact)
    if options:
        document["postprocess"] = vars(options)
        found = parity.of_detections(run, contract, golden, np.load(args.anchors[0]), args.limits["score"])
        failures = detection_failures(found, args.limits)
        failures += postprocess.Options(**contract["postprocess"]).differences(options)
    else:
        found = parity.of_outputs(run, contract, golden)
        failures = evidence.output_failures(found, args.limits)
    if args.figures:
        document["conversion"] = files.read_json(args.figures[0])
    if quantiser := artifact.VARIANTS[args.variant].quantiser:
        document["quantiser"] = quantiser
    if args.calibration:
        calibration = files.read_json(args.calibration[0])
        document["calibration"] = {key: calibration[key] for key in ("samples", "count")}
    if args.beside:
        other = runtime.Artifact(args.beside[0])
        document["beside"] = {
            "artifact": os.path.basename(args.beside[0]),
            "sha256": files.digest(args.beside[0]),
            "apart": parity.apart(run, other, contract, golden),
        }
    evidence.finish(args.output, document, found, failures)


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
