"""Run a .tflite artifact by LiteRT's GPU accelerator on SwiftShader, compare the answers, and write the evidence."""

import argparse
import os

from zoomill import command, made
from zoomill.inputs import contract_file
from zoomill.proof import evidence, gate_inputs
from zoomill.tflite import gpu, gpu_fault, gpu_form, gpu_parity, runtime, swiftshader, tflite_file

NO_SAMPLES = "it was run on no evaluation samples (`evaluation` in the card), and on other inputs a fault need not show"


def main(argv=None):
    """Write the evidence; it stays where the verdict is no pass, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    gate_inputs.add_arguments(parser)
    parser.add_argument("--variant", default="", help="name of its variant")
    parser.add_argument("--chromium", default="chromium", type=beside, help="the program whose SwiftShader is taken")
    args = command.parse(parser, argv)
    contract, model = contract_file.read(args.contract), tflite_file.read(args.artifact)
    folder = swiftshader.find(args.chromium)
    document = evidence.begin(args.artifact, args.variant, gpu_parity.LIMITS, contract)
    document |= {
        "swiftshader_sha256": swiftshader.digest(folder),
        "device": "SwiftShader, in float32; no GPU was tried",
    }
    document["known_faults"] = gpu_form.phrases(model)
    try:
        verdict, reason, said = judge(args, folder, contract, model, document)
    except gpu.CannotRun as error:
        verdict, reason, said = evidence.Verdict({}, [str(error)], []), None, ""
    evidence.finish_gate(args.output, document, "gpu", verdict, reason, said)


def beside(program):
    """Return the program as it is, after noting the folder that its SwiftShader lies in."""
    if os.path.dirname(program):
        made.unchecked(os.path.dirname(program))
    return program


def judge(args, folder, contract, model, document):
    """Return verdict, reason and words for the summary, and add to the document where the operators run."""
    file = runtime.Artifact(args.artifact, "builtin", contract)
    with open(args.artifact, "rb") as opened:
        data = opened.read()
    runs = gpu_parity.run(folder, data, file, contract, gate_inputs.feeds(args, contract))
    document |= gpu.residency(runs.log, runs.whole, len(model.subgraphs[0].operators))
    document |= {"adapter": gpu.adapter(runs.log), "warnings": gpu.warnings(runs.log)}
    said = f"{document['on_gpu']} of {document['operators']} operators"
    if not document["on_gpu"]:
        return evidence.Verdict({}, [], []), f"the GPU runs none of its operators: {document['refused'][0]}", said
    feeds = gate_inputs.feeds(args, contract)
    compared = gpu_parity.compare(args.artifact, model, contract, feeds, runs.outputs)
    document["largest_sum"] = compared.sums.largest()
    failures = gpu_parity.misses(compared)
    if failures:
        file(contract, compared.worst)
        wrong = gpu_fault.first_wrong(folder, model, file.interpreter)
        failures[-1] += f"; {wrong or 'no operator alone is wrong'}"
    failures += compared.sums.overflows()
    figures = {"gpu": compared.gpu, "xnnpack": compared.xnnpack}
    return evidence.Verdict(figures, failures, [] if args.samples else [NO_SAMPLES]), None, said


if __name__ == "__main__":
    command.run(main)
