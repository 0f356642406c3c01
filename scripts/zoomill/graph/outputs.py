"""What an output says: how far it moves over inputs, and what stood before its last activation."""

import numpy as np

# An output moves if the root mean square of what its values differ by over inputs is at least this share of its peak.
LEAST_SPREAD = 1e-3
# Probabilities outside of these are cut before they become logits again: kernels are exact to no smaller ones, and
# float32 has few digits of 1 - p.
_PROBABILITIES = {"softmax": (1e-12, 1.0), "sigmoid": (1e-6, 1 - 1e-3)}


def measured(values, activation):
    """Return the logits of an output that ends in an activation, float64, else its values.

    Args:
        values: array whose last axis is that of a softmax.
        activation: ``softmax`` or ``sigmoid``, None for any other output. Logits of a softmax have mean 0, because it
            is the same for all that differ by a constant; probabilities are cut at 1e-12 (softmax), 1e-6 and 0.999.
    """
    values = np.asarray(values, np.float64)
    if activation not in _PROBABILITIES or (activation == "softmax" and not _sums_to_one(values)):
        return values
    values = np.clip(values, *_PROBABILITIES[activation])
    if activation == "sigmoid":
        return np.log(values / (1 - values))
    logits = np.log(values)
    return logits - logits.mean(-1, keepdims=True)


def activated(logits, activation):
    """Return what the activation makes of logits, float64."""
    logits = np.asarray(logits, np.float64)
    if activation == "sigmoid":
        return 1 / (1 + np.exp(-logits))
    exponents = np.exp(logits - logits.max(-1, keepdims=True))
    return exponents / exponents.sum(-1, keepdims=True)


def is_rounded(values):
    """Tell whether all probabilities are what integers stand for: TFLite's give 256ths or 32768ths."""
    return bool(np.all(values * 32768 == np.rint(values * 32768)))


def spread(values):
    """Return how far an output moves: the root mean square, over its values, of their standard deviation over inputs.

    Args:
        values: array with one row for each input.
    """
    return float(np.sqrt(np.mean(np.var(np.asarray(values, np.float64), axis=0)))) if np.size(values) else 0.0


def moves(values, activation=None):
    """Tell whether an output moves enough over inputs (rows) for a comparison to mean anything."""
    for found in (np.asarray(values, np.float64), measured(values, activation)):
        peak = float(np.abs(found).max(initial=0))
        if np.isfinite(peak) and peak > 0 and spread(found) >= LEAST_SPREAD * peak:
            return True
    return False


def _sums_to_one(values):
    return bool(np.all(np.abs(values.sum(-1) - 1) < 1e-2))
