"""Run a .tflite artifact by LiteRT.js in Chromium, compare the answers with LiteRT's, and write the evidence."""

import argparse
import copy
import os
import tempfile

import numpy as np

from zoomill import command, files, sandbox, supervisor
from zoomill.detection.postprocess import OP
from zoomill.inputs import contract_file
from zoomill.proof import evidence, gate_inputs, spread
from zoomill.tfjs import browser, litert_js, tfjs_runtime
from zoomill.tfjs.node_process import CannotRun
from zoomill.tflite import elsewhere, kernel_fault, runtime, tflite_file


def main(argv=None):
    """Write the evidence; it stays where the verdict is no pass, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    gate_inputs.add_arguments(parser)
    tfjs_runtime.add_library(parser)
    parser.add_argument("--chromium", default=browser.PROGRAM, help="the program")
    parser.add_argument("--runs", type=int, default=5, help="how often to run on each backend, at least")
    parser.add_argument("--time-limit", type=float, default=300, help="seconds for one backend")
    args = command.parse(parser, argv)
    # What a contract leaves open matters only where inputs are made by it.
    read = contract_file.read if args.golden or args.samples else files.read_json
    contract, model = read(args.contract), tflite_file.read(args.artifact)
    document = evidence.begin(args.artifact, args.variant, elsewhere.LIMITS, contract)
    verdict, reason = evidence.Verdict({}, [], []), why_not(model)
    try:
        with tempfile.TemporaryDirectory() as folder:
            verdict = verdict if reason else judge(args, contract, model, document, folder)
    except elsewhere.Refused as error:
        verdict = evidence.Verdict({}, [str(error)], [])
    ran = [name for name, found in document.get("backends", {}).items() if "error" not in found]
    evidence.finish_gate(args.output, document, "litertjs", verdict, reason, ", ".join(ran))


def why_not(model):
    """Return why LiteRT.js cannot run a file, give it its inputs or read its outputs, or None."""
    described = tflite_file.describe(model)
    if OP in described["operators"]:
        return f"LiteRT.js has no {OP}; a graph that ends before it, detect_cut, can be run"
    foreign = [end for side in ("inputs", "outputs") for end in described[side] if end["dtype"] not in litert_js.DTYPES]
    if not foreign:
        return None
    return (
        f"{foreign[0]['name']} is {foreign[0]['dtype']}, and LiteRT.js reads and writes {', '.join(litert_js.DTYPES)}"
    )


def judge(args, contract, model, document, folder):
    """Return the verdict over both backends, and add to the document what they are and how they ran.

    Args:
        args: the flags.
        contract, model: of the file.
        document: evidence, added to.
        folder: for a file that is made and forgotten.
    """
    file = elsewhere.artifact(args.artifact, args.contract, contract, bool(args.golden or args.samples))
    figures, failures = {}, []
    stored = [file.stored(contract, feed) for feed in gate_inputs.feeds(args, contract)]
    zeros = {entry["tensor"]: np.zeros(entry["shape"], entry["dtype"]) for entry in contract["inputs"]}
    given = stored or [file.stored(contract, zeros)]
    places = {"javascript": args.library, "artifacts": os.path.dirname(os.path.abspath(args.artifact)), "inner": folder}
    document["backends"] = {}
    # Less than what this process has for a step, so that one that hangs does not take the other along.
    with browser.start(places, args.chromium, 0.8 * args.time_limit) as chromium:
        document |= {"chromium": chromium.version, "webgpu_adapter": chromium.adapter}
        for name in litert_js.ACCELERATORS[: 2 if chromium.adapter else 1]:
            supervisor.step()
            try:
                address = f"/artifacts/{os.path.basename(args.artifact)}"
                ran = litert_js.run(chromium, address, name, given, args.runs)
            except CannotRun as error:
                document["backends"][name] = {"error": str(error)}
                failures += [f"{name}: {error}"] if name == "wasm" else []
                continue
            times = {key: round(ran[key], 3) for key in ("load_ms", "first_ms", "median_ms")}
            document["backends"][name] = times | {key: ran[key] for key in ("runs", "tensors")}
            feeds = gate_inputs.feeds(args, contract)
            compared = elsewhere.compare(args.artifact, model, contract, feeds, ran["outputs"][: len(stored)])
            figures |= {name: compared.figures, "xnnpack": compared.xnnpack}
            failures += [f"{name}: {phrase}" for phrase in (*ran["leaks"], *elsewhere.misses(compared))]
            if spread.beyond(compared.figures, elsewhere.LIMITS):
                document["backends"][name]["first"] = parting(chromium, folder, name, model, contract, compared.worst)
    return evidence.Verdict(figures, failures, [] if args.samples else [elsewhere.NO_SAMPLES])


def parting(chromium, folder, accelerator, model, contract, feed):
    """Return the first tensors in which LiteRT.js parts from LiteRT's built-in kernels on an input.

    None where LiteRT.js does not run the file with all its tensors as outputs.
    """
    data, inner = kernel_fault.exposed(copy.deepcopy(model), contract)
    files.write_bytes(os.path.join(folder, "inner.tflite"), data, recorded=False)
    file = runtime.Artifact(data, "builtin", inner)
    try:
        ran = litert_js.run(chromium, "/inner/inner.tflite", accelerator, [file.stored(inner, feed)], 1)
    except CannotRun:
        return None
    return kernel_fault.parting(model, file(inner, feed), file.real(inner, ran["outputs"][0]))


if __name__ == "__main__":
    command.run(main, network=sandbox.LOOPBACK)
