"""Compile a .tflite artifact for Arm Ethos-U accelerators by Vela, and write what it says as evidence."""

import argparse
import hashlib
import json

from zoomill import command, files, made
from zoomill.proof import evidence
from zoomill.tflite import vela


def main(argv=None):
    """Write the evidence; a file of floats has the reason, and has not failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    parser.add_argument("--variant", required=True, help="name of its variant")
    parser.add_argument(
        "--accelerators", type=json.loads, nargs="+", required=True, help="JSON objects: name, system, memory"
    )
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    document = evidence.begin(args.artifact, args.variant, {}, files.read_json(args.contract))
    reason = vela.why_not(args.artifact)
    found, failures = ask(args.artifact, [] if reason else args.accelerators)
    document |= {"vela": vela.version(), "accelerators": found}
    first = next(iter(found.values()), None)
    said = "" if first is None else "{milliseconds} ms, {operators[cpu]} on CPU".format(**first)
    evidence.finish_gate(args.output, document, "vela", evidence.Verdict({}, failures, []), reason, said)


def ask(artifact, accelerators):
    """Return ``{accelerator: figures}`` and a phrase for each accelerator that cannot be had or has nothing to do."""
    found, failures = {}, []
    for accelerator in accelerators:
        name = accelerator["name"]
        try:
            data, figures = vela.compile_file(artifact, accelerator)
        except ValueError as error:
            failures.append(f"Vela refuses it for {name}: {error}")
            continue
        digest = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        found[name] = {**figures, **digest, "options": accelerator}
        if not figures["operators"]["npu"]:
            failures.append(f"no operator runs on {name}: {figures['on_cpu'][0]['reason']}")
    return found, failures


if __name__ == "__main__":
    command.run(main)
