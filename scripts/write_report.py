"""Write the report: a page with the table of all artifacts, and a page for each model."""

import argparse
import json
import os
import shutil

from zoomill import command, files, folders, made
from zoomill.pages import report, report_pages
from zoomill.proof import binding, told_studies


def main(argv=None):
    """Write the folder; it opens from disk and names nothing on another host."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evidence", type=made.checked, nargs="*", default=[], help="evidence of each artifact")
    parser.add_argument("--metrics", type=made.checked, nargs="*", default=[], help="evidence of metrics")
    parser.add_argument("--gates", type=made.checked, nargs="*", default=[], help="evidence of deploy gates")
    parser.add_argument("--looked", type=made.checked, nargs="*", default=[], help="JSON of closer looks")
    parser.add_argument("--drawings", type=made.checked, nargs="*", default=[], help="their SVG and PNG files")
    parser.add_argument("--contracts", type=made.checked, nargs="*", default=[], help="contract.json of each graph")
    parser.add_argument("--provenance", type=made.checked, nargs="*", default=[], help="provenance.json of each model")
    parser.add_argument("--pictures", type=made.checked, nargs="*", default=[], help="folders that draw_pictures made")
    parser.add_argument("--sources", type=made.checked, nargs="*", default=[], help="source.json of each model")
    parser.add_argument("--cards", required=True, type=json.loads, help="JSON object: what cards say of each model")
    parser.add_argument("--missing", nargs="*", default=[], help="lines on what could not be made")
    parser.add_argument("--templates", type=made.unchecked, nargs="+", required=True, help="what the pages are made of")
    parser.add_argument("--output", type=made.output, required=True, help="folder to make")
    made.unchecked(os.curdir)  # what figures were measured on is looked at again
    args = command.parse(parser, argv)
    evidence, gated, contracts = (
        list(map(files.read_json, paths)) for paths in (args.evidence, args.gates, args.contracts)
    )
    metrics, looked = binding.documents(args.metrics), told_studies.read(args.looked)
    missing = [*args.missing, *binding.failures(metrics)]
    by_graph = {(item["model"], item["graph"]): item for item in contracts}
    rows = report.rows(evidence, metrics, gated, looked, by_graph, args.cards)
    pages = report_pages.Pages(os.path.dirname(args.templates[0]), rows, by_graph, args.cards, elements(args.drawings))
    known = {
        "provenance": by_model(args.provenance),
        "source": by_model(args.sources),
        "pictures": by_model(args.pictures, "/index.json"),
    }
    with folders.written(args.output) as folder:
        for path in args.templates:
            if not path.endswith(".jinja"):
                shutil.copy(path, folder)
        write(folder, "index", pages.index(missing))
        for model in args.cards:
            documents = {name: found.get(model) for name, found in known.items()}
            write(folder, model, pages.model(model, documents, missing))


def by_model(paths, inside=""):
    """Return ``{model: document}`` of what lies in folders of models: files, or folders with the file ``inside``."""
    return {os.path.basename(os.path.dirname(path)): files.read_json(path + inside) for path in paths}


def elements(paths):
    """Return ``{path: SVG element}`` of those files that are SVG."""
    found = {}
    for path in paths:
        if path.endswith(".svg"):
            with open(path, encoding="utf-8") as file:
                found[path] = file.read()
    return found


def write(folder, name, text):
    """Write a page of the folder."""
    with open(os.path.join(folder, f"{name}.html"), "wb") as file:
        file.write(text.encode(errors="backslashreplace"))  # names may have halves of surrogate pairs


if __name__ == "__main__":
    command.run(main)
