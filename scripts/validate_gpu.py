"""Run a .tflite artifact by LiteRT's GPU accelerator on SwiftShader, compare the answers, and write the evidence."""

import argparse
import json
import os

import numpy as np

from zoomill import command, files, made
from zoomill.evaluation import harness
from zoomill.inputs import contract_file
from zoomill.proof import evidence, gate_inputs, parity
from zoomill.tflite import elsewhere, gpu, gpu_fault, gpu_form, swiftshader, tflite_file


def main(argv=None):
    """Write the evidence; it stays where the verdict is no pass, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    gate_inputs.add_arguments(parser)
    parser.add_argument("--anchors", type=made.checked, nargs="*", default=[], help="anchors.npy of a detection graph")
    parser.add_argument("--metric", type=json.loads, help="JSON object: name and options of the metric of the samples")
    parser.add_argument("--chromium", default="chromium", type=beside, help="the program whose SwiftShader is taken")
    args = command.parse(parser, argv)
    # What a contract leaves open matters only where inputs are made by it.
    read = contract_file.read if args.golden or args.samples else files.read_json
    contract, model = read(args.contract), tflite_file.read(args.artifact)
    folder = swiftshader.find(args.chromium)
    document = evidence.begin(args.artifact, args.variant, elsewhere.LIMITS, contract)
    whose = "a Chromium that was fetched" if os.path.dirname(args.chromium) else "this machine's Chromium"
    document["device"] = f"SwiftShader of {whose}, in float32; no physical GPU was tried"
    document |= {"swiftshader_sha256": swiftshader.digest(folder), "known_faults": gpu_form.phrases(model)}
    try:
        verdict, reason = judge(args, folder, contract, model, document)
    except (elsewhere.Refused, gpu.CannotRun) as error:
        verdict, reason = evidence.Verdict({}, [str(error)], []), None
    evidence.finish_gate(args.output, document, "gpu", verdict, reason, said(document))


def beside(program):
    """Return the program as it is, after noting the folder that its SwiftShader lies in."""
    if os.path.dirname(program):
        made.unchecked(os.path.dirname(program))
    return program


def said(document):
    """Return the words for the summary."""
    words = [f"{document['on_gpu']} of {document['operators']} operators"] if "on_gpu" in document else []
    if scored := document.get("metric"):
        words.append(f"{scored['figure']} {scored['gpu']:.4f}")
    if count := len(document["known_faults"]):
        words.append(f"{count} known faults")
    return ", ".join(words)


def judge(args, folder, contract, model, document):
    """Return verdict and reason, and add to the document where the operators run and what the answers are worth."""
    with open(args.artifact, "rb") as opened:
        data = opened.read()
    file = elsewhere.artifact(args.artifact, args.contract, contract, bool(args.golden or args.samples))
    (whole, outputs), log = gpu.run(folder, data, file, contract, gate_inputs.feeds(args, contract))
    document |= gpu.residency(log, whole, model)
    document |= {"adapter": gpu.adapter(log), "warnings": gpu.warnings(log)}
    if not document["on_gpu"]:
        return evidence.Verdict({}, [], []), f"the GPU runs none of its operators: {document['refused'][0]}"
    feeds = gate_inputs.feeds(args, contract)
    compared = elsewhere.compare(args.artifact, model, contract, feeds, outputs)
    document["largest_sum"] = compared.sums.largest()
    failures = elsewhere.misses(compared)
    if failures:
        file(contract, compared.worst)
        wrong = gpu_fault.first_wrong(folder, model, file.interpreter)
        failures[-1] += f"; {wrong or 'no operator that can be run alone is wrong'}"
        document["first_wrong"] = wrong
    failures += compared.sums.overflows()
    if args.metric and gate_inputs.tell_a_metric(args) and not tflite_file.postprocess_options(model):
        document["metric"] = scores(args, contract, file, outputs)
    figures = {"gpu": compared.figures, "xnnpack": compared.xnnpack}
    not_tested = [] if args.samples else [elsewhere.NO_SAMPLES, *document["known_faults"]]
    return evidence.Verdict(figures, failures, not_tested), None


def scores(args, contract, file, outputs):
    """Return the metric's ``figure``, and its value on the GPU and of either kernels of LiteRT.

    A file with TFLite_Detection_PostProcess would have to have another score threshold for that.

    Args:
        args: the flags.
        contract: of the file's graph.
        file: :class:`zoomill.tflite.runtime.Artifact` of it.
        outputs: what the GPU gave for each input.
    """
    anchors = np.load(args.anchors[0]) if args.anchors else None
    task = harness.Task(contract, gate_inputs.samples(args), args.metric, anchors)
    metric = task.metric()
    golden = sum(1 for path in args.golden for _ in parity.feeds(contract, evidence.read_golden(path)))
    of_samples = iter(outputs[golden:])
    ways = {"gpu": lambda feed: file.real(contract, next(of_samples)), "builtin": lambda feed: file(contract, feed)}
    if other := elsewhere.xnnpack(args.artifact, contract):
        ways["xnnpack"] = lambda feed: other(contract, feed)
    found = {name: metric.values(task.score(metric, run))[metric.figure] for name, run in ways.items()}
    return {"figure": metric.figure, **found}


if __name__ == "__main__":
    command.run(main)
