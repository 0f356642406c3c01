"""TensorFlow.js models: model.json of a graph model or a layers model, and the files of weights beside it."""

import base64
import math

from google.protobuf import json_format

from zoomill.errors import UserError
from zoomill.inspect import allowed, allowed_operators, graph, guards, keras, report

# What the converter makes and TensorFlow does not have; exporters write them as plain operators.
OWN = {"_FusedConv2D", "FusedDepthwiseConv2dNative", "_FusedMatMul", "Prelu"}


def read(path):
    """Report a TFJS model; its quantised weights count with the dtype in which they are stored.

    Raises:
        UserError: when the JSON is no TFJS model, when weights are outside its folder or not as long as it says.
        ValueError, KeyError, TypeError, AttributeError: when it is damaged.
    """
    document = guards.parsed(guards.read(path, guards.TEXT_LIMIT), path)
    topology = document.get("modelTopology")
    if not isinstance(topology, dict) or "weightsManifest" not in document:
        raise UserError(f"{path}: is JSON, but no TensorFlow.js model with modelTopology and weightsManifest")
    manifest = document["weightsManifest"]
    weights, quantisation = report.Parameters(), []
    for entry in (entry for group in manifest for entry in group["weights"]):
        weights.add(_stored(entry), entry["shape"])
        if "quantization" in entry:
            quantisation.append(_quantisation(entry))
    groups = [[guards.beside(path, location) for location in group["paths"]] for group in manifest]
    notes = [note for group, files in zip(manifest, groups, strict=True) for note in _missing(path, group, files)]
    producer = {"converted_by": document.get("convertedBy"), "generated_by": document.get("generatedBy")}

    if "node" in topology:
        spell_texts(topology)
        message = _parse("GraphDef", topology)
        producer |= {"producer": message.versions.producer, "min_consumer": message.versions.min_consumer}
        one = graph.describe(message, _signatures(document), parameters=weights)
        one["signatures"] = [entry | {"name": None} for entry in one["signatures"]]
        found = allowed_operators.found(message)
        notes += allowed.notes(one for one in found if one.name not in OWN)
        kind = "tfjs_graph"
    else:
        producer |= {"keras": topology.get("keras_version"), "backend": topology.get("backend")}
        one, more = keras.graph(topology.get("model_config") or topology, weights)
        notes += more
        kind = "tfjs_layers"
    one["quantisation"] += quantisation
    names = guards.names_beside(path, (file for files in groups for file in files))
    return report.report(kind, producer, [one], notes=notes, files=names)


def spell_texts(topology):
    """Write the texts of a graph in place as JSON of protocol buffers has them, base64, which TFJS reads too.

    Converters of 2018 and 2019 wrote lists of bytes.

    Raises:
        ValueError, TypeError: for a list of anything else.
    """
    waiting = [("", topology)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("s"), list):
                value["s"] = list(map(_base64, value["s"])) if key == "list" else _base64(value["s"])
            waiting += value.items()
        elif isinstance(value, list):
            waiting += ((key, item) for item in value)


def _base64(text):
    return base64.b64encode(bytes(text)).decode() if isinstance(text, list) else text


def _signatures(document):
    """Return the signature, which converters before 3.0 kept among the metadata, as ``{name: SignatureDef}``."""
    stored = document.get("signature") or (document.get("userDefinedMetadata") or {}).get("signature")
    return {"": _parse("SignatureDef", stored)} if stored and stored.get("outputs") else {}


def _parse(name, value):
    return json_format.ParseDict(value, graph.MESSAGES[name](), ignore_unknown_fields=True)


def _stored(entry):
    return entry.get("quantization", entry)["dtype"]


def _quantisation(entry):
    stored = entry["quantization"]
    affine = "scale" in stored
    return {
        "tensor": str(entry["name"]),
        "kind": "affine" if affine else stored["dtype"],
        "dtype": stored["dtype"],
        "original": str(entry["dtype"]),
    } | ({key: [report.finite(stored[key])] for key in ("scale", "min")} if affine else {})


def _missing(path, group, files):
    """Return a note when files of a group are missing; refuse those with another length than the manifest's."""
    sizes = [report.byte_size(_stored(entry), entry["shape"]) for entry in group["weights"]]
    if all(file.exists() for file in files) and None not in sizes:
        present, needed = sum(file.stat().st_size for file in files), math.fsum(sizes)
        if present != needed:
            raise UserError(f"{path}: the weights are truncated: {present} of {needed:.0f} bytes")
    return guards.missing(files)
