"""Print the catalogue as a table."""

import argparse
import os

from zoomill import command, made, tables
from zoomill.yaml_file import load_yaml

_FORMATS = (".tflite", ".openvino", ".tfjs")
_HEADINGS = ("model", "task", "source", "bytes", "licence", "built here")


def main(argv=None):
    """Print one row for each card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=made.unchecked, nargs="+", required=True, help="models/*.yaml")
    parser.add_argument("--results", type=made.unchecked, required=True, help="folder of the artifacts")
    args = command.parse(parser, argv)
    print(tables.markdown([_HEADINGS, *(row(path, args.results) for path in sorted(args.cards))]), end="")


def row(path, results):
    """Return the cells of one card; the size is a sum, unknown when a file's is."""
    card = load_yaml(path)
    model = os.path.basename(path).removesuffix(".yaml")
    sizes = [file.get("size") for file in card["source"]["files"]]
    size = "unknown" if None in sizes else f"{sum(sizes):,}"
    folder = os.path.join(results, model)
    names = os.listdir(folder) if os.path.isdir(folder) else []
    built = [name for name in names if name.endswith(_FORMATS)]
    number = f"{len(built)} artifacts" if built else "no"
    return model, card["task"], card["source"]["kind"], size, card["licence"], number


if __name__ == "__main__":
    command.run(main)
