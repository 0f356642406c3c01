"""Choose the dtype of every weight of a TensorFlow.js model by its measured effect, and write the variant planned."""

import argparse

from zoomill import command, files, folders, made
from zoomill.errors import UserError
from zoomill.inputs import sample_inputs
from zoomill.proof import evidence, parity
from zoomill.tfjs import tfjs_planner, tfjs_quantiser, tfjs_runtime
from zoomill.tflite import calibration


def main(argv=None):
    """Write the folder and the record of what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float", type=made.checked, required=True, help="folder of the float32 model")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    parser.add_argument(
        "--golden", type=made.checked, required=True, help="golden.npz of its source: the inputs without samples"
    )
    parser.add_argument("--budget", type=float, required=True, help="largest share of the float32 model's bytes")
    parser.add_argument("--shard-bytes", type=int, required=True, help="size of every shard but the last")
    tfjs_runtime.add_library(parser)
    parser.add_argument(
        "--output", type=made.output, required=True, help="folder to make; what stands there is replaced"
    )
    parser.add_argument("--output-record", type=made.output, required=True)
    sample_inputs.add_arguments(parser)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    try:
        plan = make_plan(args, contract)
    except UserError as error:
        raise UserError(f"{contract['model']}: {contract['graph']}: {error}") from error
    tfjs_quantiser.write_variant(args.float, plan.patterns, args.shard_bytes, args.output)
    files.write_json(args.output_record, plan.record)


def make_plan(args, contract):
    """Return the plan, in whose record stands what it was measured on."""
    if samples := sample_inputs.of_flags(args):
        _, feeds = calibration.feeds(samples, contract)
    else:
        feeds = parity.feeds(contract, evidence.read_golden(args.golden))
    measured = tfjs_planner.measure(args.float, contract, list(feeds), "wasm", args.library)
    plan = tfjs_planner.plan(args.float, measured, args.budget)
    plan.record.update(
        samples=files.digest(samples.path) if samples else "golden",
        float_sha256=folders.digest(args.float),
    )
    return plan


if __name__ == "__main__":
    command.run(main)
