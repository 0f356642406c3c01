"""Write the contract of a detector's graph with TFLite_Detection_PostProcess: that of its raw heads, and the options.

An option that is not given is taken from pipeline.config, as the contract of the raw heads holds it.
"""

import argparse
import json

from zoomill import command, files, made
from zoomill.detection import postprocess, ssd_contract
from zoomill.errors import UserError


def main(argv=None):
    """Write the contract."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the raw heads")
    parser.add_argument("--name", required=True, help="name of the new graph")
    parser.add_argument("--options", required=True, help="JSON object of postprocess options")
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    heads = files.read_json(args.contract)
    options = postprocess.Options(**{**heads["postprocess"], **json.loads(args.options)})
    classes = heads["postprocess"]["num_classes"]
    if options.num_classes != classes:
        raise UserError(
            f"{heads['model']}: {args.name}: num_classes {options.num_classes} in the card, "
            f"but the class head has {classes}"
        )
    files.write_json(args.output, ssd_contract.with_postprocess(heads, args.name, options))


if __name__ == "__main__":
    command.run(main)
