"""Write the registry that web pages load models from."""

import argparse
import json
import os

from zoomill import command, escape, files, folders, made
from zoomill.pages import models_json, output_kind
from zoomill.tfjs import tfjs_model


def main(argv=None):
    """Write models.json, and models.js with the same as an ES module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--artifacts", type=made.checked, nargs="+", required=True, help="folders of TensorFlow.js models"
    )
    parser.add_argument(
        "--contracts", type=made.checked, nargs="+", required=True, help="contract.json of each of their graphs"
    )
    parser.add_argument("--pictures", type=made.checked, nargs="*", default=[], help="folders that draw_pictures made")
    parser.add_argument(
        "--cards", required=True, type=json.loads, help="JSON object: title, task, decode, output, metric of each model"
    )
    parser.add_argument("--output-json", type=made.output, required=True)
    parser.add_argument("--output-javascript", type=made.output, required=True)
    args = command.parse(parser, argv)
    root = os.path.dirname(args.output_json)
    contracts = {(item["model"], item["graph"]): item for item in map(files.read_json, args.contracts)}
    samples = {os.path.basename(os.path.dirname(path)): samples_of(path, root) for path in args.pictures}
    variants = {}
    for path in args.artifacts:
        graph, variant, _ = os.path.basename(path).split(".")
        key = os.path.basename(os.path.dirname(path)), graph
        entry = {
            "modelPath": os.path.relpath(path, root),
            "bytes": folders.size(path),
            "sha256": folders.digest(path),
        }
        if os.path.exists(os.path.join(path, tfjs_model.OPERATORS)):
            entry["operators"] = f"{entry['modelPath']}/{tfjs_model.OPERATORS}"
        variants.setdefault(key, {})[variant] = entry
    document = {generation: {"classify": [], "detect": [], "various": []} for generation in ("newer", "older")}
    for key, artifacts in variants.items():
        card = args.cards[key[0]]
        first = tfjs_model.read_document(os.path.join(root, next(iter(artifacts.values()))["modelPath"]))
        contract = output_kind.scored(contracts[key], card)
        found = models_json.entries(key[0], contract, card, artifacts, first, samples.get(key[0], []))
        for generation, entry in found.items():
            document[generation][models_json.section(card["task"])].append(entry)
    text = "".join(
        f"export const {generation} = {escape.javascript(sections)};\n" for generation, sections in document.items()
    )
    files.write_bytes(args.output_javascript, (text + "export default newer;\n").encode())
    files.write_json(args.output_json, document)


def samples_of(path, root):
    """Return the sample pictures in a folder, relative to that of the registry."""
    names = files.read_json(os.path.join(path, "index.json"))["samples"]
    return [os.path.relpath(os.path.join(path, name), root) for name in names]


if __name__ == "__main__":
    command.run(main)
