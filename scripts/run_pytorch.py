"""Run a PyTorch model for its golden outputs, and write it as ONNX, from which export_pytorch makes the graph."""

import argparse
import io
import os

import numpy as np

from zoomill import command, files, folders, framework, label_files, made
from zoomill.graph import golden_inputs
from zoomill.sources import arguments, pytorch_source


def main(argv=None):
    """Write the folder `pytorch`: the ONNX file, and golden inputs in the graph's order and outputs in PyTorch's."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments.add_source(parser)
    golden_inputs.add_arguments(parser)
    parser.add_argument("--output-dir", type=made.output_folder, required=True)
    args = command.parse(parser, argv)
    with framework.naming(args.model):
        label_files.of_card(args.card, args.source)
        network = pytorch_source.read(args.source, args.options, args.card)
        given = golden_inputs.of_flags(args)
        feeds = golden_inputs.choose(given, network.promises, lambda feed: dict(enumerate(network.run(feed))))
        rows = network.record(feeds, [entry.get("name") for entry in args.card["outputs"]])
        onnx = network.to_onnx([name for name in rows[0] if name not in feeds[0]])
    stored = io.BytesIO()
    np.savez(stored, **{name: np.stack([row[name] for row in rows]) for name in rows[0]})
    with folders.written(os.path.join(args.output_dir, "pytorch")) as folder:
        files.write_bytes(os.path.join(folder, pytorch_source.ONNX), onnx, recorded=False)
        files.write_bytes(os.path.join(folder, pytorch_source.GOLDEN), stored.getvalue(), recorded=False)
        if isinstance(labels := args.card["labels"], str):  # export_pytorch reads them from here
            os.makedirs(os.path.dirname(os.path.join(folder, labels)), exist_ok=True)
            files.copy(os.path.join(args.source, labels), os.path.join(folder, labels))


if __name__ == "__main__":
    command.run(main)
