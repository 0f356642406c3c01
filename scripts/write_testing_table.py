"""Write the table of all TensorFlow.js models as Markdown, from their evidence alone."""

import argparse
import json
import os

from zoomill import command, files, made, tables
from zoomill.pages import output_kind
from zoomill.proof import binding, metric_loss

_HEADINGS = ("model", "variant", "type", "training set", "classes", "size", "tensors", "resolution")


def main(argv=None):
    """Write the table; what nothing has measured stays empty."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--evidence", type=made.checked, nargs="+", required=True, help="evidence of Node for each artifact"
    )
    parser.add_argument(
        "--browser", type=made.checked, nargs="*", default=[], help="evidence of Chromium for each model"
    )
    parser.add_argument("--metrics", type=made.checked, nargs="*", default=[], help="evidence of metrics")
    parser.add_argument("--contracts", type=made.checked, nargs="+", required=True, help="contract.json of each graph")
    parser.add_argument(
        "--cards", required=True, type=json.loads, help="JSON object: task, decode, output, training_set"
    )
    parser.add_argument("--output", type=made.output, required=True)
    made.unchecked(os.curdir)  # what figures were measured on is looked at again
    args = command.parse(parser, argv)
    contracts = {(item["model"], item["graph"]): item for item in map(files.read_json, args.contracts)}
    browser = by_digest(item for path in args.browser for item in files.read_json(path)["artifacts"])
    metrics = {metric_loss.key(item): item for item in binding.documents(args.metrics)}
    documents = [files.read_json(path) for path in args.evidence]
    times = [measured(item, browser.get(item["sha256"], {})) for item in documents]
    places = sorted({place for own in times for place in own}, key=lambda place: (not place.startswith("Node"), place))
    rows = [(*_HEADINGS, *places, "accuracy")]
    for item, own in zip(documents, times, strict=True):
        card = args.cards[item["model"]]
        contract = output_kind.scored(contracts[item["model"], item["graph"]], card)
        row = (*facts(item, contract, card), *(own.get(place, "") for place in places))
        rows.append((*row, accuracy(metrics.get((item["model"], item["graph"], item["variant"], "tfjs")))))
    files.write_bytes(args.output, tables.markdown(rows).encode())


def by_digest(documents):
    """Return documents by the digest of the artifact that they are about, so that none counts for another artifact."""
    return {document["sha256"]: document for document in documents}


def measured(node, browser):
    """Return ``{place: median time}`` of all backends of both kinds of evidence."""
    return {
        f"{place} {backend}": f"{figures['median_ms']:.1f} ms"
        for place, document in (("Node", node), ("Chromium", browser))
        for backend, figures in document.get("backends", {}).items()
        if "median_ms" in figures
    }


def facts(item, contract, card):
    """Return the cells of one artifact that need no clock."""
    tensors = next(iter(item["backends"].values()))["tensors"]
    classes = output_kind.class_count(contract, output_kind.kind(contract, card))
    return (
        item["model"],
        f"{item['graph']}.{item['variant']}",
        card["task"].replace("-", " "),
        card["training_set"],
        "" if classes is None else str(classes),
        f"{item['bytes'] / 1e6:.2f} MB",
        str(tensors["loaded"] - tensors["before"]),
        resolution(contract["inputs"][0]),
    )


def resolution(promise):
    """Return the size of a picture, nothing for another input."""
    if not output_kind.is_picture(promise):
        return ""
    height, width = promise["shape"][1:3] if promise["layout"] == "NHWC" else promise["shape"][2:4]
    return f"{width} px" if width == height else f"{width} x {height} px"


def accuracy(document):
    """Return the figure that stands for a metric, and of how many samples it is."""
    if document is None:
        return ""
    if document["stale"]:
        return binding.phrase(document)
    figure = document["figure"]
    ended = f" ({told})" if (told := metric_loss.part(document)) else ""
    return f"{figure} {document['values'][figure]:.4f} of {document['samples']}{metric_loss.note(document)}{ended}"


if __name__ == "__main__":
    command.run(main)
