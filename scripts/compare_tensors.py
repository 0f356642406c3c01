"""Compare the tensors of a quantised .tflite file with those of the float file, and draw where precision is lost."""

import argparse
import os

import numpy as np

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.inputs import sample_inputs, samples
from zoomill.proof import parity
from zoomill.tflite import tensor_error, tensor_plot


def main(argv=None):
    """Write the figures of every tensor, worst first, and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float", type=made.checked, required=True, help="float32 .tflite file")
    parser.add_argument("--quantised", type=made.checked, required=True, help=".tflite file of the same graph")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    sample_inputs.add_arguments(parser)
    parser.add_argument("--golden", type=made.checked, required=True, help="golden.npz, for models without samples")
    parser.add_argument("--limit", required=True, type=int, help="most samples to take, spread evenly over the list")
    parser.add_argument("--output", type=made.output, required=True, help="JSON file")
    parser.add_argument("--output-plot", type=made.output, required=True, help="PNG file")
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    try:
        document = tensor_error.compare(args.float, args.quantised, contract, _feeds(args, contract))
    except UserError as error:
        raise UserError(f"{contract['model']}: {args.quantised}: {error}") from error
    document.update(
        float_sha256=files.digest(args.float),
        quantised_sha256=files.digest(args.quantised),
        inputs_sha256=files.digest(args.samples or args.golden),
    )
    name = os.path.basename(args.quantised).removesuffix(".tflite")
    tensor_plot.draw(document, f"{contract['model']}: {name} against float", args.output_plot)
    files.write_json(args.output, document)


def _feeds(args, contract):
    """Yield the first input of each of the chosen samples, or the golden inputs."""
    if not args.samples:
        with np.load(args.golden) as golden:
            yield from list(parity.feeds(contract, golden))[: args.limit]
        return
    step = -(-len(samples.read_index(args.samples)) // args.limit)
    for _, _, feeds in sample_inputs.of_flags(args).feeds(contract["inputs"], slice(None, None, step)):
        yield feeds[0]


if __name__ == "__main__":
    command.run(main)
