"""Run a PyTorch model for its golden outputs, and write it as ONNX, from which export_pytorch makes the graph."""

import argparse
import io
import json

import numpy as np

from zoomill import command, files, golden_inputs, made, pytorch_source


def main(argv=None):
    """Write the ONNX file, and golden inputs and outputs: inputs in the graph's order, outputs in PyTorch's."""
    parser = argparse.ArgumentParser(description=__doc__)
    pytorch_source.add_arguments(parser)
    golden_inputs.add_arguments(parser)
    parser.add_argument("--output-onnx", type=made.output, required=True)
    parser.add_argument("--output-golden", type=made.output, required=True)
    args = command.parse(parser, argv)
    card = json.loads(args.card)
    source = pytorch_source.load(args.path, args.model, card["inputs"], args.keep_layout)
    feeds = golden_inputs.choose(args, source.promises, lambda feed: dict(enumerate(source.run(feed))))
    rows = source.record(feeds, [entry.get("name") for entry in card["outputs"]])
    onnx = source.to_onnx([name for name in rows[0] if name not in feeds[0]])
    stored = io.BytesIO()
    np.savez(stored, **{name: np.stack([row[name] for row in rows]) for name in rows[0]})
    files.write_bytes(args.output_onnx, onnx)
    files.write_bytes(args.output_golden, stored.getvalue())


if __name__ == "__main__":
    command.run(main)
