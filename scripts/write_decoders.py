"""Write programs that feed a model and read its outputs, in JavaScript and Python, from its contract."""

import argparse
import json

from zoomill import command, files, made
from zoomill.pages import decoder_programs, models_json, output_kind


def main(argv=None):
    """Write decode.js, decode.py, decode.json, which both read, and classes.json, labels as pigallery reads them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument(
        "--card", required=True, type=json.loads, help="JSON object: title, task, preprocess, decode, output"
    )
    parser.add_argument(
        "--anchors", type=made.checked, nargs="*", default=[], help="anchors.npy of a detector's raw heads"
    )
    parser.add_argument(
        "--templates", type=made.unchecked, nargs=2, required=True, help="decode.js.jinja and decode.py.jinja"
    )
    parser.add_argument("--output-javascript", type=made.output, required=True)
    parser.add_argument("--output-python", type=made.output, required=True)
    parser.add_argument("--output-data", type=made.output, required=True)
    parser.add_argument("--output-classes", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract = output_kind.scored(files.read_json(args.contract), args.card)
    known = decoder_programs.facts(contract, args.card)
    programs = [decoder_programs.render(template, known) for template in args.templates]
    files.write_json(args.output_data, decoder_programs.data(contract, args.anchors))
    files.write_json(args.output_classes, models_json.classes(contract, output_kind.kind(contract, args.card)))
    for path, program in zip((args.output_javascript, args.output_python), programs, strict=True):
        files.write_bytes(path, program.encode())


if __name__ == "__main__":
    command.run(main)
