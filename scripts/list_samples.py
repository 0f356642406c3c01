"""Write the samples that a model is calibrated or evaluated with, as a list with digests."""

import argparse
import json

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.inputs import samples


def main(argv=None):
    """Write the list; it shares no sample with ``--apart-from``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--purpose", required=True, choices=("calibration", "evaluation"))
    parser.add_argument("--index", type=made.unchecked, required=True, help="CSV of the data set")
    parser.add_argument("--samples", required=True, help="JSON: which of them, see zoomill.inputs.samples.choose")
    parser.add_argument(
        "--apart-from", type=made.unchecked, nargs="*", default=[], help="CSV of the other purpose's data set"
    )
    parser.add_argument("--apart-from-samples", default="null", help="JSON: which of those")
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    where = f"{args.model}: {args.purpose}"
    chosen = _chosen(where, args.index, args.samples)
    for index in args.apart_from:
        others = _chosen(args.model, index, args.apart_from_samples)
        if shared := samples.overlap(chosen, others):
            raise UserError(
                f"{where}: the sample {shared} is also in the list of the other purpose; "
                "what a model is calibrated with cannot evaluate it; change `samples` in the card"
            )
    files.write_bytes(args.output, samples.index_text(chosen).encode())


def _chosen(where, index, wanted):
    """Return the chosen samples of an index."""
    try:
        chosen = samples.choose(samples.read_index(index), json.loads(wanted))
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    if not chosen:
        raise UserError(f"{where}: its list of samples is empty; change `samples` in the card")
    return chosen


if __name__ == "__main__":
    command.run(main)
