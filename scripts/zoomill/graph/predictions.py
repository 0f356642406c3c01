"""Predictions: what a source model makes of a sample list in its own framework."""

import io

import numpy as np

from zoomill import files
from zoomill.errors import UserError

# Entries of a predictions file: digest of the sample list, and why there are no others.
_SAMPLES, _REASON = "samples_sha256", "reason"


def write(path, samples, promises, run, batched):
    """Run a source on every sample and write the predictions.

    Args:
        path: the .npz file: for each output of the source an array with one row for each sample, or for each window
            of each sample, and the digest of the sample list.
        samples: :class:`zoomill.inputs.sample_inputs.Samples`.
        promises: the contract's entries of the inputs.
        run: function from ``{input name: array}`` to ``{output name: array}``, batch of one included.
        batched: ``run`` takes all windows of a sample as one batch, too.

    Raises:
        UserError: when the samples are none, or not all inputs of the model.
    """
    rows, names = [], {promise["name"]: promise["tensor"] for promise in promises}
    for _, _, windows in samples.feeds(promises):
        feeds = [{name: window[tensor] for name, tensor in names.items()} for window in windows]
        if batched and len(feeds) > 1:
            found = run({name: np.concatenate([feed[name] for feed in feeds]) for name in names})
            rows += [{name: array[i : i + 1] for name, array in found.items()} for i in range(len(feeds))]
        else:
            rows += map(run, feeds)
    stored = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}
    buffer = io.BytesIO()
    np.savez(buffer, **stored, **{_SAMPLES: np.array(files.digest(samples.path))})
    files.write_bytes(path, buffer.getvalue())


def write_reason(path, reason):
    """Write a predictions file that says why there are none."""
    buffer = io.BytesIO()
    np.savez(buffer, **{_REASON: np.array(reason)})
    files.write_bytes(path, buffer.getvalue())


def reason(path):
    """Return why a predictions file has no predictions, None where it has some."""
    with np.load(path) as stored:
        return str(stored[_REASON]) if _REASON in stored else None


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
