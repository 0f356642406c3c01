"""Run a .tflite file on TFLite Micro, compare the answers with LiteRT's reference kernels, and write the evidence."""

import argparse

from zoomill import command, files
from zoomill.proof import evidence, gate_inputs
from zoomill.tflite import kernel_spread, micro, runtime, tflite_file

# Both compute alike but for the order in which they round, which moves integers by a few steps (most that was seen: 7)
# and no float at all. Another function than the file's moves them by more.
_LIMITS = {"steps": 16, "share": 1e-3, "flips": 0.01}
_HOST = "upper bound: measured on a host of 64 bits, whose pointers are twice as long as a microcontroller's"


def main(argv=None):
    """Write the evidence; a file that TFLite Micro refuses has the reason, and has not failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    gate_inputs.add_arguments(parser)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    document = evidence.begin(args.artifact, args.variant, _LIMITS, contract)
    with open(args.artifact, "rb") as file:
        data = file.read()
    try:
        arena = micro.tried(data).arena()
    except RuntimeError as error:
        evidence.finish_gate(args.output, document, "micro", evidence.Verdict({}, [], []), reason=str(error))
        return
    document |= {"arena": arena, "arena_is": _HOST, "operators": micro.needed_operators(data)}
    registered = sorted(tflite_file.operators(tflite_file.parse(micro.deployed(data), args.artifact)))
    verdict = answers(data, contract, gate_inputs.feeds(args, contract))
    if document["operators"] != registered:
        lists = (", ".join(names) for names in (document["operators"], registered))
        verdict.failures.append("TFLite Micro looks up {}, a C array registers {}".format(*lists))
    evidence.finish_gate(args.output, document, "micro", verdict, said=f"{arena['total'] / 1024:.0f} KiB")


def answers(data, contract, feeds):
    """Return the verdict about what TFLite Micro answers."""
    try:
        spread = kernel_spread.compare(data, contract, feeds, {"micro": ("micro", 1)})["micro"]
    except (RuntimeError, ValueError) as error:
        reason = runtime.refusal(error)
        return evidence.Verdict({}, [], [f"nothing to compare its answers with: LiteRT refuses the file: {reason}"])
    figures, line = spread.figures(), spread.line()
    if not figures["inputs"]:
        return evidence.Verdict(figures, [], ["its answers: there are no inputs"])
    wrong = [name for name in ("steps", "share") if figures[name] is not None and not figures[name] <= _LIMITS[name]]
    if figures["flips"] > _LIMITS["flips"] * figures["decisions"]:
        wrong.append("flips")
    failures = [f"TFLite Micro answers otherwise than LiteRT's reference kernels: {line}"] if wrong else []
    return evidence.Verdict({**figures, "line": line}, failures, [])


if __name__ == "__main__":
    command.run(main)
