"""Run all artifacts of a model in Chromium, compare them with the golden outputs, and write the evidence."""

import argparse
import json
import os

from zoomill import command, files, made, sandbox, supervisor
from zoomill.proof import evidence
from zoomill.tfjs import browser, tfjs_runtime


def main(argv=None):
    """Write the evidence; it stays where the verdict of an artifact is no pass, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--entries",
        type=entries,
        required=True,
        help="JSON list of objects: artifact (a .tfjs folder or .tflite file), contract, golden, limits",
    )
    tfjs_runtime.add_library(parser)
    parser.add_argument("--chromium", default=browser.PROGRAM, help="the program")
    parser.add_argument("--runs", type=int, required=True, help="how often to run each on each backend, at least")
    parser.add_argument("--timed", action="store_true", help="write times too; nothing else should run meanwhile")
    parser.add_argument("--time-limit", type=float, required=True, help="seconds for one artifact on one backend")
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    places = {"javascript": args.library, "artifacts": os.path.dirname(args.entries[0]["artifact"])}
    # Less than what this process has for a step, so that one that hangs does not take the others along.
    with browser.start(places, args.chromium, 0.8 * args.time_limit) as chromium:
        documents = [document(chromium, args.runs, args.timed, **entry) for entry in args.entries]
        about = {"chromium": chromium.version, "webgpu_adapter": chromium.adapter}
    about |= {"artifact": "in Chromium", "model": documents[0]["model"], "artifacts": documents}
    found = {item["artifact"]: tfjs_runtime.worst(item["backends"]) for item in documents}
    phrases = (
        [f"{item['artifact']}: {phrase}" for item in documents for phrase in item[key]]
        for key in ("failures", "not_tested")
    )
    evidence.finish(args.output, about, found, *phrases)


def entries(text):
    """Return the entries of a JSON list, after checking the files that they name."""
    found = json.loads(text)
    for entry in found:
        for what in ("artifact", "contract", "golden"):
            made.checked(entry[what])
    return found


def document(chromium, runs, timed, artifact, contract, golden, limits):
    """Return the evidence of one artifact on all backends that it has in a browser."""
    contract, golden = files.read_json(contract), evidence.read_golden(golden)
    address, variant = f"/artifacts/{os.path.basename(artifact)}", os.path.basename(artifact).split(".")[1]
    if os.path.isdir(artifact):
        request = tfjs_runtime.request(artifact, contract, golden) | {"folder": f"{address}/"}
        function, places = "proveTfjs", chromium.backends
        names = tfjs_runtime.signature_tensors(artifact, contract, "outputs")
    else:
        own = {entry["name"]: entry["name"] for entry in (*contract["inputs"], *contract["outputs"])}
        # Files of some converters have no signature, and thus the names of tensors.
        tensors = {entry["tensor"]: entry["name"] for entry in (*contract["inputs"], *contract["outputs"])}
        request = {"file": address, "names": tensors | own, "accelerator": "wasm"}
        request["inputs"] = tfjs_runtime.feeds(own, contract, golden)
        function, places = "proveLiteRt", ["litert"]
        names = {entry["name"]: entry["name"] for entry in contract["outputs"]}

    def run(backend):
        supervisor.step()
        return tfjs_runtime.with_arrays(chromium.call(function, {**request, "backend": backend, "runs": runs}), names)

    backends, failures, not_tested = tfjs_runtime.on_backends(places, run, contract, golden, limits, timed)
    about = evidence.begin(artifact, variant, limits, contract)
    return {**about, "backends": backends, "failures": failures, "not_tested": not_tested}


if __name__ == "__main__":
    command.run(main, network=sandbox.LOOPBACK)
