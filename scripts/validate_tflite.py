"""Compare a .tflite artifact with its contract and the golden outputs, and write the evidence."""

import argparse
import os

import numpy as np

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.inputs import contract_file
from zoomill.proof import evidence, parity
from zoomill.tflite import artifact, detection_parity, detection_source, gpu_form, runtime, tflite_descent, tflite_file


def main(argv=None):
    """Write the evidence; an artifact that misses a limit is delivered with ``passed: false``."""
    parser = argparse.ArgumentParser(description=__doc__)
    evidence.add_arguments(parser)
    parser.add_argument("--anchors", type=made.checked, nargs="*", help="anchors.npy of a detection graph")
    artifact.add_argument(parser)
    parser.add_argument(
        "--float", type=made.checked, nargs="*", help="the float32 file that the artifact was derived from"
    )
    parser.add_argument("--figures", type=made.checked, nargs="*", help="JSON file of the conversion's own figures")
    parser.add_argument(
        "--calibration", type=made.checked, nargs="*", help="calibration.json that the artifact was quantised with"
    )
    args = command.parse(parser, argv)
    contract, golden = contract_file.read(args.contract), evidence.read_golden(args.golden)
    model = tflite_file.read(args.artifact)
    check(args, contract)
    document = evidence.begin(args.artifact, args.variant.name, args.limits, contract) | tflite_file.describe(model)
    judge = judge_detector if tflite_file.postprocess_options(model) else judge_outputs
    document |= {"kernels": kernels(args, contract, golden), "in_float": tflite_file.float_operators(model)}
    outputs = judge(args, model, contract, golden)
    parts = [source(args, model, contract, golden), delivery(args, model, contract), descent(args, model)]
    for part in parts:
        document |= part.figures
    failures, not_tested = (
        [phrase for part in (outputs, *parts) for phrase in getattr(part, side)] for side in ("failures", "not_tested")
    )
    evidence.finish(args.output, document | origin(args, model), outputs.figures, failures, not_tested)


def check(args, contract):
    """Refuse a contract that is not of the file, by which nothing could be judged."""
    try:
        runtime.Artifact(args.artifact).check(contract)
    except RuntimeError:
        return  # a file that does not run is judged by its kernels
    except UserError as error:
        raise UserError(f"{args.artifact}: is not as {args.contract} says: {error}") from error


def kernels(args, contract, golden):
    """Return what each set of LiteRT's kernels says of the file: ``runs``, or why not; built-in ones have to."""
    feed, found = next(parity.feeds(contract, golden)), {}
    for name in ("builtin", "xnnpack"):
        try:
            runtime.Artifact(args.artifact, name)(contract, feed)
            found[name] = "runs"
        except (RuntimeError, ValueError) as error:
            found[name] = runtime.refusal(error)
    return found


def judge_outputs(args, model, contract, golden):
    """Compare the outputs, and what stands before a last activation, with the golden ones."""
    run = runtime.Artifact(args.artifact)
    runs, logits = [], []
    for feed in parity.feeds(contract, golden):
        runs.append(run(contract, feed))
        logits.append(run.logits(contract))
    return parity.of_outputs(runs, contract, golden, args.limits, logits)


def judge_detector(args, model, contract, golden):
    """Judge a file with TFLite_Detection_PostProcess: what enters the op, and what leaves it."""
    verdict, runs = detection_parity.of_file(args.artifact, contract, golden, np.load(args.anchors[0]), args.limits)
    heads = parity.of_outputs(runs, {"outputs": detection_parity.HEADS}, golden, args.limits)
    figures = {"heads": heads.figures, **verdict.figures}
    return evidence.Verdict(figures, heads.failures + verdict.failures, heads.not_tested + verdict.not_tested)


def source(args, model, contract, golden):
    """Judge what the golden outputs say of the source: its rounding to integers, or its boxes at raw heads."""
    if args.anchors and not tflite_file.postprocess_options(model):
        return detection_source.compare(contract, golden, np.load(args.anchors[0]))
    rounding = parity.rounding(contract, golden)
    return rounding._replace(figures={"rounding": rounding.figures} if rounding.figures else {})


def delivery(args, model, contract):
    """Look again for what no file is delivered with, and for integers that do not reach as far as their calibration."""
    with open(args.artifact, "rb") as file:
        failures = artifact.find_problems(model, file.read(), contract, args.variant)
    for path in args.calibration or []:
        failures += tflite_descent.cut_ranges(model, files.read_json(path)["ranges"])
    return evidence.Verdict({}, failures, [])


def descent(args, model):
    """Compare a file with the float32 file that it was derived from, if it was from any."""
    figures, failures = {}, []
    for path in args.float or []:
        exact = tflite_file.read(path)
        if args.variant.for_gpu:
            gpu_form.rewrite(exact, any_weights=True)
        failures, figures["descent"] = tflite_descent.differences(exact, model)
        if files.digest(path) == files.digest(args.artifact):
            failures.append(f"is byte for byte {os.path.basename(path)}: nothing in it is {args.variant.name}")
    return evidence.Verdict(figures, failures, [])


def origin(args, model):
    """Return what evidence says about how the file was made."""
    said = {}
    if options := tflite_file.postprocess_options(model):
        said["postprocess"] = vars(options)
    if args.figures:
        said["conversion"] = files.read_json(args.figures[0])
    if quantiser := args.variant.quantiser:
        said["quantiser"] = quantiser
    if args.calibration:
        calibration = files.read_json(args.calibration[0])
        said["calibration"] = {key: calibration[key] for key in ("samples", "count")}
    return said


if __name__ == "__main__":
    command.run(main)
