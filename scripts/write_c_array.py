"""Write a .tflite file as a C array for microcontrollers, with the operators that TFLite Micro needs for it."""

import argparse
import os

from zoomill import command, files, made
from zoomill.tflite import c_array, metadata, tflite_file


def main(argv=None):
    """Write the source and the header."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tflite", type=made.checked, required=True)
    parser.add_argument("--name", required=True, help="start of all names in C: NAME_model_data …")
    parser.add_argument("--source", type=made.output, required=True, help="the .cc file")
    parser.add_argument("--header", type=made.output, required=True, help="the .h file, beside the source")
    args = command.parse(parser, argv)
    with open(args.tflite, "rb") as file:
        data = metadata.stripped(file.read(), args.tflite)  # of no use to what has no files
    operators = tflite_file.operators(tflite_file.parse(data, args.tflite))
    header = c_array.header(args.name, len(data), operators)
    source = c_array.source(args.name, data, os.path.basename(args.header))
    files.write_bytes(args.source, source.encode())
    files.write_bytes(args.header, header.encode())


if __name__ == "__main__":
    command.run(main)
