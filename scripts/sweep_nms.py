"""Score a detector with other settings of its NMS, on the raw heads of one run, and draw what they are worth."""

import argparse
import json
import os

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.evaluation import harness, nms_advice, nms_plot, nms_sweep
from zoomill.proof import evaluator
from zoomill.tflite import runtime


def main(argv=None):
    """Run the artifact on every sample, and write the figures of all settings, the advice and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--grid", type=json.loads, required=True, help="JSON object {setting: list of values}")
    harness.add_task(parser)
    parser.add_argument("--output", type=made.output, required=True, help="JSON file")
    parser.add_argument("--output-plot", type=made.output, required=True, help="SVG file")
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    contract = task.contract
    artifact = runtime.Artifact(args.artifact, contract=contract)
    with harness.naming(args):
        artifact.check(contract)
    try:
        sweep = nms_sweep.Sweep(task, lambda feed: artifact(contract, feed), args.grid)
        found = nms_advice.document(sweep)
    except UserError as error:
        raise UserError(f"{contract['model']}: {contract['graph']}.{args.variant}: {error}") from error
    document = {
        "model": contract["model"],
        "graph": contract["graph"],
        "variant": args.variant,
        "artifact": os.path.basename(args.artifact),
        "sha256": files.digest(args.artifact),
        "metric": args.metric,
        "samples_sha256": files.digest(args.samples),
        "evaluator_sha256": evaluator.code_digest(),
        "packages": harness.packages(),
        **found,
    }
    nms_plot.draw(document, args.output_plot)
    files.write_json(args.output, document)


if __name__ == "__main__":
    command.run(main)
