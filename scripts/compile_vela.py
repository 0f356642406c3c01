"""Compile a .tflite file of integers for an Arm Ethos-U accelerator, by Vela."""

import argparse
import json

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.tflite import vela


def main(argv=None):
    """Write the compiled file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--accelerator", type=json.loads, required=True, help="JSON object: name, system, memory")
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    reason = vela.why_not(args.artifact)
    if reason:
        raise UserError(f"{args.artifact}: {reason}")
    try:
        data, _ = vela.compile_file(args.artifact, args.accelerator)
    except ValueError as error:
        raise UserError(f"{args.artifact}: Vela refuses it for {args.accelerator['name']}: {error}") from error
    files.write_bytes(args.output, data)


if __name__ == "__main__":
    command.run(main)
