"""Compare a .tflite artifact with its contract and the golden outputs, and write the evidence."""

import argparse
import os

import numpy as np

from zoomill import (
    artifact,
    command,
    detection_parity,
    detection_source,
    evidence,
    files,
    made,
    parity,
    postprocess,
    runtime,
    tflite_descent,
    tflite_file,
)


def main(argv=None):
    """Write the evidence; an artifact that misses a limit is delivered with ``passed: false``."""
    parser = argparse.ArgumentParser(description=__doc__)
    evidence.add_arguments(parser)
    parser.add_argument("--anchors", type=made.checked, nargs="*", help="anchors.npy of a detection graph")
    parser.add_argument("--variant", required=True, choices=sorted(artifact.VARIANTS))
    parser.add_argument(
        "--float", type=made.checked, nargs="*", help="the float32 file that the artifact was derived from"
    )
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
        found, failures, not_tested = judge_detector(args, contract, golden)
        failures += postprocess.Options(**contract["postprocess"]).differences(options)
    else:
        runs, logits = [], []
        for feed in parity.feeds(contract, golden):
            runs.append(run(contract, feed))
            logits.append(run.logits(contract))
        found, failures, not_tested = parity.of_outputs(runs, contract, golden, args.limits, logits)
        if "postprocess" in contract:
            source = detection_source.compare(contract, golden, np.load(args.anchors[0]))
            document |= source.figures
            failures += source.failures
            not_tested += source.not_tested
    if (rounding := parity.rounding(contract, golden)).figures:
        document["rounding"] = rounding.figures
        failures += rounding.failures
    with open(args.artifact, "rb") as file:
        failures += artifact.find_problems(model, file.read(), contract, artifact.VARIANTS[args.variant])
    for path in args.float or []:
        differences, document["descent"] = tflite_descent.differences(tflite_file.read(path), model)
        failures += differences
        if files.digest(path) == document["sha256"]:
            failures.append(f"is byte for byte {os.path.basename(path)}: nothing in it is {args.variant}")
    if args.figures:
        document["conversion"] = files.read_json(args.figures[0])
    if quantiser := artifact.VARIANTS[args.variant].quantiser:
        document["quantiser"] = quantiser
    if args.calibration:
        calibration = files.read_json(args.calibration[0])
        document["calibration"] = {key: calibration[key] for key in ("samples", "count")}
        failures += tflite_descent.cut_ranges(model, calibration["ranges"])
    if args.beside:
        other = runtime.Artifact(args.beside[0])
        document["beside"] = {
            "artifact": os.path.basename(args.beside[0]),
            "sha256": files.digest(args.beside[0]),
            "apart": parity.apart(run, other, contract, golden),
        }
    evidence.finish(args.output, document, found, failures, not_tested)


def judge_detector(args, contract, golden):
    """Return figures, failures and what was not tested of a file with TFLite_Detection_PostProcess."""
    verdict, runs = detection_parity.of_file(args.artifact, contract, golden, np.load(args.anchors[0]), args.limits)
    heads = parity.of_outputs(runs, {"outputs": detection_parity.HEADS}, golden, args.limits)
    figures = {"heads": heads.figures, **verdict.figures}
    return figures, heads.failures + verdict.failures, heads.not_tested + verdict.not_tested


if __name__ == "__main__":
    command.run(main)
