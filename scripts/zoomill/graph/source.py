"""What a source is to its exporter: a graph, named ends, a function that runs it, and what a card expects of it."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from zoomill.errors import UserError

# A picture of 4700 × 4700 pixels in three colours has fewer; dozens of them are drawn for golden inputs.
_MOST_VALUES = 1 << 26


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One input or output of a source.

    Attributes:
        name: what the contract calls it.
        tensor: its tensor in the frozen graph, ``node:index``.
        dtype: NumPy name of its dtype.
        shape: sizes, None where the source leaves one open; None as a whole for an unknown rank.
        known: entries of the contract that hold where the card says nothing else: ``value_range``, ``meaning``,
            ``preprocess`` (of :class:`zoomill.inputs.preprocess.Preprocess`) …
    """

    name: str
    tensor: str
    dtype: str
    shape: tuple | None
    known: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Source:
    """A source as a graph, and as a function in its own framework.

    Attributes:
        graph: frozen GraphDef, in which the inputs are placeholders.
        inputs, outputs: :class:`Tensor` lists, in the source's order.
        run: function from ``{input name: array}`` to ``{output name: array}``.
        notes: sentences for the contract about what differs from the source.
        batched: ``run`` takes batches of any size.
        rounded: what ``run`` is, for a source of integers, of which ``run`` is the floating-point evaluation. Its
            outputs are kept as ``rounded/<output>``, and samples are given to it.
        rows: ``[{input or output name: array}, …]`` where golden inputs were chosen and run already.
        labels, label_offset: those of the source itself, where the card names no labels.
        steady: names of outputs that are rightly the same for many inputs, and are compared as constants.
    """

    graph: object
    inputs: list
    outputs: list
    run: Callable
    notes: list = ()
    batched: bool = False
    rounded: Callable | None = None
    rows: list | None = None
    labels: list = ()
    label_offset: int = 0
    steady: list = ()


def integer_notes(names):
    """Return the sentence for the contract about the dtypes of a source that become floats, none without any."""
    if not names:
        return []
    return [f"the source computes with {', '.join(names)}; here these numbers are floats, without its own rounding"]


def promises(kind, tensors, expected):
    """Return the contract entries of inputs or outputs: what the card says, checked against the source."""
    if expected and len(expected) != len(tensors):
        raise UserError(f"the card has {len(expected)} {kind}s, the source {len(tensors)}")
    return [
        _promise(kind, tensor, expectation)
        for tensor, expectation in zip(tensors, expected or [{}] * len(tensors), strict=True)
    ]


def _promise(kind, tensor, said):
    where, expected = f"{kind} {tensor.name}", {**tensor.known, **said}
    for key, found in (("name", tensor.name), ("dtype", tensor.dtype)):
        if expected.get(key, found) != found:
            raise UserError(f"{where}: the card expects {key} {expected[key]}, the source has {found}")
    if not _is_numeric(tensor.dtype):
        raise UserError(
            f"{where}: is of {tensor.dtype}; only tensors of numbers and truth values can be exported, so export a "
            "function without it, which begins at the numbers that texts become"
        )
    entry = {"name": tensor.name, "tensor": tensor.name, "dtype": tensor.dtype}
    entry["shape"] = _shape(where, tensor.shape, expected.get("shape"), kind)
    if kind == "output":
        # The range of a source's integers is known of outputs too, but only the card says that it means something.
        more = {key: values[key] for key, values in (("decode", expected), ("value_range", said)) if key in values}
        return {**entry, "source": tensor.tensor, "meaning": expected.get("meaning", ""), **more}
    layout, colour = _picture(entry["shape"])
    if "preprocess" in expected:
        entry["preprocess"] = expected["preprocess"]
    return {
        **entry,
        "layout": expected.get("layout", layout),
        "colour": expected.get("colour", colour),
        "value_range": expected.get("value_range"),
    }


def _is_numeric(dtype):
    try:
        return np.dtype(dtype).kind in "biufc"
    except TypeError:
        return False


def _shape(where, found, expected, kind):
    """Return the fixed shape that agrees with both sides; an open batch is 1."""
    if found is not None and expected is not None:
        agree = len(found) == len(expected)
        agree = agree and all(a in (None, b) for a, b in zip(found, expected, strict=True))
        if not agree:
            raise UserError(f"{where}: the card expects shape {list(expected)}, the source has {list(found)}")
    shape = list(expected or found or ())
    if shape and shape[0] is None:
        shape[0] = 1
    if kind == "input" and (None in shape or (found is None and expected is None)):
        raise UserError(f"{where}: the source leaves its shape open ({found}); give `shape` in the card's inputs")
    if kind == "input" and not 0 < math.prod(shape) <= _MOST_VALUES:
        raise UserError(f"{where}: has the shape {shape}; one input has 1 to {_MOST_VALUES:,} values")
    return [-1 if size is None else size for size in shape]


def _picture(shape):
    """Return layout and colour order of an input that looks like a picture, else None twice."""
    if len(shape) == 4 and shape[3] in (1, 3):
        return "NHWC", "RGB" if shape[3] == 3 else "GRAY"
    if len(shape) == 4 and shape[1] in (1, 3):
        return "NCHW", "RGB" if shape[1] == 3 else "GRAY"
    return None, None
