"""Time a .tflite artifact on LiteRT, and write the times as evidence. Nothing else should run meanwhile."""

import argparse
import os

from zoomill import command, files, made
from zoomill.proof import evidence
from zoomill.tflite import latency, operator_times

# Threads that it is timed with.
THREADS = (1, 2)


def main(argv=None):
    """Write the evidence; a file that LiteRT cannot run fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    parser.add_argument(
        "--golden", type=made.checked, nargs="*", default=[], help="golden.npz, the first input of which it is run on"
    )
    parser.add_argument("--variant", required=True, help="name of its variant")
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    document = evidence.begin(args.artifact, args.variant, {}, contract)
    golden = evidence.read_golden(args.golden[0]) if args.golden else {}
    feed = {entry["tensor"]: golden[entry["tensor"]][0] for entry in contract["inputs"]} if golden else {}
    found, slowest, failures = {}, [], []
    try:
        found = {str(threads): latency.measure(args.artifact, contract, feed, threads) for threads in THREADS}
        slowest = operator_times.longest(args.artifact)
    except ValueError as error:
        failures.append(f"LiteRT cannot run it: {error}")
    alone = latency.is_alone(found.values())
    document |= {
        "threads": found,
        "operators": slowest,
        "cores": os.cpu_count(),
        "input": "golden" if golden else "zeros",
        "alone": alone,
    }
    said = f"{found['1']['median_ms']:.3g} ms" + ("" if alone else ", not alone") if found else ""
    evidence.finish_gate(args.output, document, "latency", evidence.Verdict({}, failures, []), said=said)


if __name__ == "__main__":
    command.run(main)
