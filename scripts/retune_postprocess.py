"""Change the options of a .tflite file's TFLite_Detection_PostProcess: no conversion, and no other byte is touched.

Any file with the op will do. An option that is not given stays as it is.
"""

import argparse
import dataclasses
import struct
import sys

from zoomill import command, files, made, tables
from zoomill.detection.postprocess import Options
from zoomill.errors import UserError
from zoomill.tflite import retune, tflite_file

_NMS = {"regular": True, "fast": False}
_BROKEN = (struct.error, IndexError, KeyError, TypeError, ValueError, RecursionError)


def main(argv=None):
    """Write the file and print each option as it was and as it is now."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=made.checked, help="the .tflite file")
    for field in dataclasses.fields(Options):
        if field.type is bool:
            parser.add_argument("--nms", choices=_NMS, help="one for each class, or one for all")
        else:
            flag = field.name.removeprefix("nms_").replace("_", "-")
            parser.add_argument(f"--{flag}", dest=field.name, type=field.type)
    parser.add_argument("-o", "--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    changes = {name: value for name, value in vars(args).items() if name in Options.__annotations__}
    changes = {**changes, "use_regular_nms": _NMS.get(args.nms)}
    changes = {name: value for name, value in changes.items() if value is not None}
    tflite_file.read(args.file)
    with open(args.file, "rb") as file:
        data = file.read()
    try:
        before, after = retune.options_of(data), retune.asked(data, changes)
        written = retune.with_options(data, after)
    except UserError as error:
        raise UserError(f"{args.file}: {error}") from error
    except _BROKEN as error:
        raise UserError(f"{args.file}: is a damaged TFLite file: {error}") from error
    files.write_bytes(args.output, written)
    rows = [[name, f"{getattr(before, name)}", f"{value}"] for name, value in vars(after).items()]
    sys.stdout.write(tables.markdown([["option", "before", "now"], *rows]))


if __name__ == "__main__":
    command.run(main)
