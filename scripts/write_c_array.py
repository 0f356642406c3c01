"""Write a .tflite file as a C array for microcontrollers, with the operators that TFLite Micro needs for it."""

import argparse
import os

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.tflite import c_array, micro, tflite_file, vela


def main(argv=None):
    """Write the source and the header of a file that TFLite Micro runs, or that Vela compiled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tflite", type=made.checked, required=True)
    parser.add_argument("--name", required=True, help="start of all names in C: NAME_model_data …")
    parser.add_argument("--source", type=made.output, required=True, help="the .cc file")
    parser.add_argument("--header", type=made.output, required=True, help="the .h file, beside the source")
    args = command.parse(parser, argv)
    with open(args.tflite, "rb") as file:
        data = micro.deployed(file.read(), args.tflite)
    operators = tflite_file.operators(tflite_file.parse(data, args.tflite))
    # What is compiled for an accelerator runs on no host.
    arena = None if vela.OPERATOR in operators else arena_bytes(data, args.tflite)
    header = c_array.header(args.name, len(data), operators, arena)
    source = c_array.source(args.name, data, os.path.basename(args.header))
    files.write_bytes(args.source, source.encode())
    files.write_bytes(args.header, header.encode())


def arena_bytes(data, path):
    """Return the bytes of memory that a file takes, the bytes of which are ``data``."""
    try:
        return micro.tried(data).arena()["total"]
    except RuntimeError as error:
        raise UserError(f"{path}: no C array, as TFLite Micro refuses the file: {error}") from error


if __name__ == "__main__":
    command.run(main)
