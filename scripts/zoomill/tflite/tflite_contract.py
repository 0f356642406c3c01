"""The contract of a .tflite file that nobody here has made: what the file says, and questions where it does not.

Its form is that of :mod:`zoomill.detection.ssd_contract`; a question begins with
:data:`zoomill.inputs.contract_file.QUESTION`, and no evaluation starts before all are answered.
"""

import os

import numpy as np

from zoomill.detection import ssd_contract
from zoomill.errors import UserError
from zoomill.inputs.contract_file import QUESTION
from zoomill.inspect import metadata_tables, tflite_metadata
from zoomill.tflite import metadata, retune

_SIDES = ("inputs", "outputs")
_INTEGERS = ("int8", "uint8", "int16")
_ASK_RANGE = QUESTION + "what 0 and 255 of a picture become, as [0, 1], [-1, 1] or [0, 255]"
_ASK_OFFSET = (
    QUESTION + "what to add to a class number to get the data set's: 0; 1 where those count from 1; -1 where column 0 "
    "is a background"
)


def of_file(path, report, ask=True):
    """Return the contract of a file.

    Args:
        path: of the .tflite file.
        report: what :func:`zoomill.inspect.recognise.inspect` says of it.
        ask: whether to ask what pictures become that integers stand for; else they take the whole range of these.

    Raises:
        UserError: for another kind of file, and a damaged one.
    """
    if report["kind"] != "tflite":
        raise UserError(f"{path}: --contract is of .tflite files only; a contract of others is made in a build")
    with open(path, "rb") as file:
        data = file.read()
    name = os.path.splitext(os.path.basename(path))[0]
    try:
        return _contract(name, data, report, ask)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except Exception as error:  # what a report passes over may still make no sense
        raise UserError(f"{path}: is damaged ({type(error).__name__}: {error})") from error


def answered(contract, card):
    """Return the contract of a file with what its card says; a question that it leaves open becomes nothing.

    Args:
        contract: what :func:`of_file` returned.
        card: ``inputs`` and ``outputs``, lists in the order of the file's, of any of their keys; ``labels`` and
            ``label_offset``; and ``about``: title, task and licence.
    """
    labels = {key: card[key] for key in ("labels", "label_offset")} if card["labels"] or not contract["labels"] else {}
    ends = {side: [*map(_end, contract[side], [*card[side], *({} for _ in contract[side])])] for side in _SIDES}
    return _without_questions({**contract, **card["about"], **labels, **ends, "notes": []})


def _end(entry, said):
    """Return an input or output with what a card says; names, dtype and shape are the file's."""
    return entry | {key: value for key, value in said.items() if key not in ("name", "dtype", "shape")}


def _without_questions(value):
    if isinstance(value, dict):
        return {key: _without_questions(item) for key, item in value.items()}
    if isinstance(value, list):
        return [*map(_without_questions, value)]
    return None if isinstance(value, str) and value.startswith(QUESTION) else value


def _contract(name, data, report, ask):
    """Return the contract of a file's bytes."""
    (graph,) = report["graphs"]
    signatures = {entry["name"]: entry for entry in graph["signatures"]}
    signature = signatures.get("serving_default") or graph["signatures"][0]
    scales = {entry["tensor"]: entry for entry in graph["quantisation"] if entry["dtype"] in _INTEGERS}
    normal, options = _normalisations(data), retune.options_of(data)
    inputs = [
        _input(tensor, scales.get(tensor["tensor"]), normal.get(place), ask)
        for place, tensor in enumerate(signature["inputs"])
    ]
    outputs = [_output(tensor, scales.get(tensor["tensor"])) for tensor in signature["outputs"]]
    labels, offset, notes = tflite_metadata.labels(data)
    contract = {
        "model": name,
        "graph": "main",
        "inputs": inputs,
        "outputs": outputs,
        "labels": labels,
        "label_offset": offset if labels else _ASK_OFFSET,
        "notes": notes,
    }
    return contract if options is None else _with_detections(contract, options, retune.outputs_of(data))


def _input(tensor, stored, normal, ask):
    """Return the entry of an input; ``normal`` is what 0 and 255 become by the file's metadata, or None."""
    shape, dtype = tensor["shape"], tensor["dtype"]
    entry = {"name": tensor["name"], "tensor": tensor["tensor"], "dtype": dtype, "shape": _sizes(shape)}
    channels = [place for place in (3, 1) if len(shape) == 4 and shape[place] in (1, 3)]
    if not channels:
        return {**entry, "layout": None, "colour": None, "value_range": None}
    layout = "NHWC" if channels[0] == 3 else "NCHW"
    colour = "GRAY" if shape[channels[0]] == 1 else f"{QUESTION}RGB or BGR"
    # Programs give an 8-bit input the picture's own bytes, whatever they stand for.
    known = None if dtype == "uint8" else normal or _ASK_RANGE
    if dtype != "uint8" and stored:
        entry["dtype"] = "float32"
        if normal is None:
            low, high = _ends(stored)
            known = f"{_ASK_RANGE}; the file's integers stand for {low:.4g} to {high:.4g}" if ask else [low, high]
    return {**entry, "layout": layout, "colour": colour, "value_range": known}


def _output(tensor, stored):
    dtype = "float32" if stored else tensor["dtype"]
    names = {"name": tensor["name"], "tensor": tensor["tensor"]}
    return {**names, "dtype": dtype, "shape": _sizes(tensor["shape"]), "meaning": None}


def _sizes(shape):
    return [1 if place == 0 and size == -1 else size for place, size in enumerate(shape)]


def _ends(stored):
    """Return the smallest and the largest real number of a quantised tensor."""
    limits, scale, point = np.iinfo(stored["dtype"]), stored["scale"][0], (stored["zero_point"] or [0])[0]
    return scale * (limits.min - point), scale * (limits.max - point)


def _with_detections(contract, options, tensors):
    """Return the contract with the names and meanings of TFLite_Detection_PostProcess's outputs.

    Args:
        contract: of the file without.
        options: :class:`zoomill.detection.postprocess.Options` of the file.
        tensors: names of the op's outputs in its order.
    """
    known = ssd_contract.with_postprocess(contract, contract["graph"], options)
    told = dict(zip(tensors, known["outputs"], strict=True))
    outputs = [{**told[entry["tensor"]], "tensor": entry["tensor"]} for entry in contract["outputs"]]
    return {**known, "outputs": outputs}


def _normalisations(data):
    """Return ``{place of an input: value_range}`` where the normalisation stands in the file's metadata."""
    try:
        told = metadata_tables.unpack(metadata.stored(data))
    except Exception:  # flatbuffers reads wherever a damaged file points to
        return {}
    (subgraph, *_) = told.get("subgraph_metadata") or [{}]
    tensors = subgraph.get("input_tensor_metadata", [])
    ranges = {place: [*filter(None, map(_range, one.get("process_units", [])))] for place, one in enumerate(tensors)}
    return {place: found[0] for place, found in ranges.items() if found}


def _range(unit):
    """Return what 0 and 255 become, ``(value - mean) / std``, by a process unit of metadata, None by another kind."""
    options = unit.get("options", {}).get("NormalizationOptions")
    if not options or not {*options} >= {"mean", "std"}:
        return None
    # As text, a float32 is the shortest number that reads back as the same.
    mean, std = (np.float32(options[key]).astype(str).astype(float) for key in ("mean", "std"))
    ends = [((value - mean) / std).round(6).tolist() for value in (0, 255)]
    return [one[0] for one in ends] if all(len(set(one)) == 1 for one in ends) else ends
