"""Predictions: what a source model makes of a sample list in its own framework."""

import io
import json

import numpy as np

from zoomill import datasets, files, made, samples, supervisor
from zoomill.errors import UserError
from zoomill.preprocess import Preprocess

# Entry of a predictions file: digest of the sample list.
_SAMPLES = "samples_sha256"


def add_arguments(parser, required=False):
    """Add the flags that say which samples are read and how they become inputs."""
    group = parser.add_argument_group(
        "samples", None if required else "write predictions.npz of these and nothing else"
    )
    group.add_argument("--samples", type=made.checked, nargs="?", required=required, help="sample list")
    group.add_argument("--folder", type=made.unchecked, nargs="?", required=required, help="folder of the data set")
    group.add_argument("--form", required=required, type=json.loads, help="JSON object: how samples are read")
    group.add_argument("--preprocess", type=json.loads, default={}, help="JSON object: fit, part, padding")


def inputs(args, promise, part=slice(None)):
    """Yield each sample with its arrays and the model's input for each of them.

    Args:
        args: the flags of :func:`add_arguments`.
        promise: the contract's entry of the input.
        part: which of the samples.

    Raises:
        UserError: when the sample list is empty.
    """
    preprocess = Preprocess(promise, **args.preprocess)
    chosen = samples.read_index(args.samples)
    if not chosen:
        raise UserError(f"{args.samples}: is empty")
    for sample in chosen[part]:
        supervisor.step()
        arrays = datasets.read(args.folder, sample, args.form)
        yield sample, arrays, [preprocess(array) for array in arrays]


def write(path, args, promise, run, batched):
    """Run a source on every sample and write the predictions.

    Args:
        path: the .npz file: for each output of the source an array with one row for each sample, or for each window
            of each sample, and the digest of the sample list.
        args: the flags of :func:`add_arguments`.
        promise: the contract's entry of the input.
        run: function from an input to ``{output name: array}``, batch of one included.
        batched: ``run`` takes all windows of a sample as one batch, too.
    """
    rows = []
    for _, _, values in inputs(args, promise):
        if batched and len(values) > 1:
            found = run(np.concatenate(values))
            rows += [{name: array[i : i + 1] for name, array in found.items()} for i in range(len(values))]
        else:
            rows += map(run, values)
    stored = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}
    buffer = io.BytesIO()
    np.savez(buffer, **stored, **{_SAMPLES: np.array(files.digest(args.samples))})
    files.write_bytes(path, buffer.getvalue())


def read(path, sample_list):
    """Return ``{output: array}`` of a predictions file.

    Raises:
        UserError: when it was made from another sample list.
    """
    with np.load(path) as stored:
        arrays = dict(stored)
    if str(arrays.pop(_SAMPLES)) != files.digest(sample_list):
        raise UserError(f"{path}: was made from another sample list than {sample_list}")
    return arrays
