"""Derive a quantised variant from a TensorFlow.js model with float32 weights, without TensorFlow."""

import argparse
import json
import shutil
from pathlib import Path

from zoomill import command, folders, tfjs_model, tfjs_quantiser
from zoomill.errors import UserError


def main(argv=None):
    """Write the folder; its shards are as large as those of the float32 model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float", required=True, help="folder of the float32 model")
    parser.add_argument("--patterns", required=True, type=json.loads, help="JSON object: dtype to patterns of weights")
    parser.add_argument("--shard-bytes", type=int, required=True, help="size of every shard but the last")
    parser.add_argument("--output", required=True, help="folder to make; what stands there is replaced")
    args = parser.parse_args(argv)
    document = tfjs_model.read_document(args.float)
    weights = tfjs_model.read_weights(args.float, document)
    try:
        quantised = tfjs_quantiser.quantise(weights, args.patterns)
    except UserError as error:
        raise UserError(f"{args.float}: {error}; see `tfjs: quantise` of the card") from error
    with folders.written(args.output) as folder:
        tfjs_model.write_weights(folder, document, quantised, args.shard_bytes)
        tfjs_model.write_document(folder, document)
        operators = Path(args.float, tfjs_model.OPERATORS)
        if operators.exists():
            shutil.copy(operators, folder)


if __name__ == "__main__":
    command.run(main)
