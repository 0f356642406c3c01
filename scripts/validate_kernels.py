"""Measure how far apart the answers of a .tflite file lie that different kernels give, and write the evidence."""

import argparse

from zoomill import command, files
from zoomill.proof import evidence, gate_inputs
from zoomill.tflite import kernel_spread, micro, runtime


def main(argv=None):
    """Write the evidence; LiteRT has to run the file with each of its sets, TFLite Micro need not."""
    parser = argparse.ArgumentParser(description=__doc__)
    gate_inputs.add_arguments(parser)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    document = evidence.begin(args.artifact, args.variant, {}, contract)
    with open(args.artifact, "rb") as file:
        data = file.read()
    sets, document["refused"] = dict(kernel_spread.SETS), {}
    try:
        micro.tried(data)
    except RuntimeError as error:
        document["refused"]["micro"] = str(error)
        del sets["micro"]
    verdict = measure(data, contract, gate_inputs.feeds(args, contract), sets)
    evidence.finish_gate(args.output, document, "kernels", verdict, said=said(verdict.figures))


def measure(data, contract, feeds, sets):
    """Return the figures of each set of kernels, with a line of them in words."""
    try:
        spreads = kernel_spread.compare(data, contract, feeds, sets)
    except (RuntimeError, ValueError) as error:
        return evidence.Verdict({}, [f"LiteRT refuses it: {runtime.refusal(error)}"], [])
    figures = {name: {**spread.figures(), "line": spread.line()} for name, spread in spreads.items()}
    nothing = not any(found["inputs"] for found in figures.values())
    return evidence.Verdict(figures, [], ["its answers: there are no inputs"] * nothing)


def said(figures):
    """Return how many decisions the set of kernels that is farthest off takes otherwise; without any, values."""
    if not any(found["inputs"] for found in figures.values()):
        return ""
    what, of, verb = ("flips", "decisions", "flip")
    if not any(found["decisions"] for found in figures.values()):
        what, of, verb = ("differ", "values", "differ")
    name, most = max(figures.items(), key=lambda item: item[1][what])
    return f"{most[what]} of {most[of]} {verb}" + (f" ({name})" if most[what] else "")


if __name__ == "__main__":
    command.run(main)
