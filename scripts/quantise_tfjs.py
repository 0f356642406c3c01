"""Derive a quantised variant from a TensorFlow.js model with float32 weights, without TensorFlow."""

import argparse
import json

from zoomill import command, made
from zoomill.errors import UserError
from zoomill.tfjs import tfjs_quantiser


def main(argv=None):
    """Write the folder; its shards are as large as those of the float32 model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float", type=made.checked, required=True, help="folder of the float32 model")
    parser.add_argument("--patterns", required=True, type=json.loads, help="JSON object: dtype to patterns of weights")
    parser.add_argument("--shard-bytes", type=int, required=True, help="size of every shard but the last")
    parser.add_argument(
        "--output", type=made.output, required=True, help="folder to make; what stands there is replaced"
    )
    args = command.parse(parser, argv)
    try:
        tfjs_quantiser.write_variant(args.float, args.patterns, args.shard_bytes, args.output)
    except UserError as error:
        raise UserError(f"{args.float}: {error}; see `tfjs: quantise` of the card") from error


if __name__ == "__main__":
    command.run(main)
