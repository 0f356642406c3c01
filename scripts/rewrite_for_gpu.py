"""Give a .tflite file the form that LiteRT's GPU accelerator computes rightly; on the processor it gives the same."""

import argparse

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.tflite import artifact, gpu_form, metadata, tflite_file


def main(argv=None):
    """Write the file, checked as an artifact where its contract and variant are named, else without its metadata."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tflite", type=made.checked, required=True, help="the file")
    parser.add_argument("--contract", type=made.checked, help="contract.json of its graph, of a file of ours")
    artifact.add_argument(parser, required=False)
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    model = tflite_file.read(args.tflite)
    try:
        rewritten = gpu_form.rewrite(model)
    except UserError as error:
        raise UserError(f"{args.tflite}: cannot be rewritten: {error}") from error
    if not rewritten:
        raise UserError(f"{args.tflite}: has no 1x1 convolution with a stride and int8 weights; take it as it is")
    if args.contract and args.variant:
        artifact.deliver(model, files.read_json(args.contract), args.variant, args.output)
    else:
        metadata.strip(model)
        files.write_bytes(args.output, tflite_file.serialise(model))


if __name__ == "__main__":
    command.run(main)
