"""Whether a quantised TensorFlow.js model computes what the float32 model does that it was derived from."""

import math

import numpy as np

from zoomill.proof.rounding import FLOAT16
from zoomill.tfjs import tfjs_model

# Largest difference in steps of a scale: the range is moved by up to a half so that zero is exact, and rounding takes
# another half.
_STEPS = 1.01


def differences(exact, quantised):
    """Return one phrase for everything in which a model differs from the float32 model other than by rounding.

    Args:
        exact, quantised: folders of the two models.

    Returns:
        Phrases, and ``{"weights": …, "largest_step": …}``: how many weights were compared, and how far any integer is
        from its float, in steps of its scale.
    """
    documents = [tfjs_model.read_document(folder) for folder in (exact, quantised)]
    weights = [
        {weight.entry["name"]: weight for weight in tfjs_model.read_weights(folder, document)}
        for folder, document in zip((exact, quantised), documents, strict=True)
    ]
    phrases = [
        f"{key} is not that of the float32 model"
        for key in sorted(set(documents[0]) | set(documents[1]))
        if key != "weightsManifest" and documents[0].get(key) != documents[1].get(key)
    ]
    if list(weights[0]) != list(weights[1]):
        phrases.append("has other weights than the float32 model")
    figures = {"weights": 0, "largest_step": 0.0}
    for name in (name for name in weights[0] if name in weights[1]):
        figures["weights"] += 1
        phrases += _of_weight(name, weights[0][name], weights[1][name], figures)
    return phrases, {**figures, "largest_step": round(figures["largest_step"], 3)}


def _of_weight(name, exact, found, figures):
    stored = found.entry.get("quantization")
    if stored is None:
        same = exact == found
        return [] if same else [f"{name} differs"]
    wanted, values = np.frombuffer(exact.data, "<f4").astype(float), np.frombuffer(found.data, stored["dtype"])
    if found.entry["shape"] != exact.entry["shape"] or math.prod(exact.entry["shape"]) != values.size:
        return [f"{name} has another shape"]
    if stored["dtype"] == "float16":
        relative, absolute = FLOAT16
        wrong = ~(np.abs(values - wanted) <= np.abs(wanted) * relative + absolute)
        return [f"{int(wrong.sum())} of {wrong.size} values of {name} differ"] if wrong.any() else []
    if not stored["scale"] > 0:
        return [f"{name} has the scale {stored['scale']}"]
    steps = float((np.abs(values * stored["scale"] + stored["min"] - wanted) / stored["scale"]).max(initial=0))
    figures["largest_step"] = max(figures["largest_step"], steps)
    return [] if steps <= _STEPS else [f"{name} is up to {steps:.3g} steps of its scale off"]
