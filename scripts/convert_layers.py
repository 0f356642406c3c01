"""Convert a Keras source to a TensorFlow.js layers model, delivered only if TensorFlow.js runs it like the source."""

import argparse
import os
import tempfile

from zoomill import command, files, folders, made
from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.inspect import allowed
from zoomill.proof import evidence
from zoomill.sources import keras_source
from zoomill.tfjs import tfjs_converter, tfjs_layers, tfjs_map, tfjs_model, tfjs_runtime


def main(argv=None):
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", type=made.checked, required=True, help="Keras model")
    allowed.add_argument(parser)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph made of it")
    parser.add_argument("--golden", type=made.checked, required=True, help="golden.npz of the graph made of it")
    parser.add_argument("--shard-bytes", type=int, required=True, help="size of every file of weights but the last")
    tfjs_runtime.add_library(parser)
    parser.add_argument(
        "--output", type=made.output, required=True, help="folder to make; what stands there is replaced"
    )
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    with folders.written(args.output) as folder:
        convert(args, contract, folder)


def convert(args, contract, folder):
    """Write a model that runs as the source does.

    Raises:
        UserError: when TensorFlow.js does not load it, or gives other outputs.
    """
    try:
        names = convert_file(args, folder)
        document = tfjs_model.read_document(folder)
        tfjs_layers.repair(document, contract, names)
        tfjs_model.write_document(folder, document)
        golden = evidence.read_golden(args.golden)
        measured = tfjs_runtime.run_golden(folder, contract, golden, "cpu", args.library)
        tfjs_map.check(measured["outputs"], contract, golden)
    except UserError as error:
        hint = "its graph model, main, does without layers"
        raise UserError(f"{contract['model']}: {args.path}: as a layers model: {error}; {hint}") from error


def convert_file(args, folder):
    """Write model.json and shards as the converter does; return the model's own names of inputs and outputs."""
    tfjs_converter.load()
    model, _ = keras_source.read(args.path, args.allow)
    with tempfile.TemporaryDirectory() as scratch:
        # The converter unpacks a .keras file beside itself, and reads Keras 3 from .h5 only.
        path = os.path.join(scratch, "model.h5")
        with refusing("Keras cannot save it as HDF5"):
            model.save(path)
        shards = f"--weight_shard_size_bytes={args.shard_bytes}"
        tfjs_converter.convert("--input_format=keras", "--output_format=tfjs_layers_model", shards, path, folder)
    ends = {"inputs": model.inputs, "outputs": model.outputs}
    return {side: [_layer(tensor) for tensor in tensors] for side, tensors in ends.items()}


def _layer(tensor):
    """Return the layer that makes a tensor, of either generation of Keras."""
    return tensor._keras_history[0].name


if __name__ == "__main__":
    command.run(main)
