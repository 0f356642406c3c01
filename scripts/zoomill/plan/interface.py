"""What a report tells of a model's inputs and outputs, as a card says it."""

from zoomill.inspect.tensor_names import contract_names

# The order of an ONNX or PyTorch tensor's sizes in the graph, by rank: N, channels, space becomes N, space, channels.
_CHANNELS_LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
_COLOURS = (1, 3)
_BY_TENSORS = ("frozen_graph", "tf1_checkpoint")
_SORTED = ("saved_model", "tfjs")
_TOLD = "told from the graph; name other tensors to end it elsewhere"
_AFTER_NMS = (
    "boxes after NMS, which TFLite cannot have: before you build it, name the tensors before, or, of an SSD, give its "
    "name as `frozen_graph` of kind tf1_detection in place of `path` and tensors"
)
_CUSTOM = (
    "it needs {}, which no TensorFlow graph has: before you build it, end it before that, "
    "output_tensors: {{NAME: TENSOR}}"
)


def describe(model):
    """Return what a card says of a model besides its files.

    Args:
        model: :class:`zoomill.plan.model_files.Model`.

    Returns:
        Further keys of ``source``; ``inputs`` and ``outputs``, each a list of ``(entry, [question])``; and questions
        about ``inputs`` and ``source`` as a whole, ``{key: comment}``.
    """
    kind = model.source["kind"]
    if kind == "tf1_detection":
        return {}, [], [], {}
    options, signature, questions = _signature(model.report, kind)
    if signature is None:
        return options, [], [], questions
    if kind == "darknet":
        (net,) = signature["inputs"]
        channels, height, width = net["shape"][1:]
        return options, [({"shape": [1, height, width, channels]}, [])], [], questions
    sides = [signature["inputs"], signature["outputs"]]
    if kind in _SORTED:
        sides = [sorted(side, key=lambda tensor: tensor["name"]) for side in sides]
    names = [_names(side, kind) for side in sides]
    kept = [tensor["name"] for tensor in sides[0] if kind in ("onnx", "pytorch") and _is_last(tensor["shape"])]
    custom = sorted(model.report["graphs"][0]["custom_operators"]) if kind == "tflite" else []
    chosen, asked = _ends(kind, sides, names, kept, custom)
    quantised = {entry["tensor"] for graph in model.report["graphs"] for entry in graph["quantisation"]}
    inputs, outputs = (
        [_entry(kind, *one, quantised, kept) for one in zip(called, side, strict=True)]
        for called, side in zip(names, sides, strict=True)
    )
    # The order of a .tflite file's own list counts, not that of its signature.
    named = kind == "tflite" and signature["name"] is not None
    inputs, outputs = ([] if named and len(side) > 1 else side for side in (inputs, [] if custom else outputs))
    batched = any(tensor["shape"] and tensor["shape"][0] == -1 for tensor in sides[0])
    inputs = [_input(kind, *one) for one in inputs]
    outputs = [_output(kind, *one, batched) for one in outputs]
    return {**options, **chosen}, inputs, outputs, {**questions, **asked}


def _ends(kind, sides, names, kept, custom):
    """Return options that say where a graph begins and ends and how its inputs lie, and questions about them."""
    options, questions = {}, {}
    if kind in _BY_TENSORS:
        for key, side, called in zip(("input_tensors", "output_tensors"), sides, names, strict=True):
            tensors = (tensor["tensor"].removesuffix(":0") for tensor in side)
            options[key] = dict(zip(called, tensors, strict=True))
        questions["output_tensors"] = _AFTER_NMS if "detection_boxes" in names[1] else _TOLD
    if kept:
        options["keep_layout"] = kept
        questions["keep_layout"] = "these already look channels-last"
    if custom:
        questions["files"] = _CUSTOM.format(", ".join(custom))
    return options, questions


def _signature(report, kind):
    """Return options that choose a signature, the signature itself or None, and questions."""
    options, questions, graphs = {}, {}, report["graphs"]
    graph = next((graph for graph in graphs if graph["name"] in ("serve", "")), graphs[0])
    if kind == "saved_model" and graph["name"] != "serve":
        options["tags"] = graph["name"].split(", ") if graph["name"] else []
    if kind == "saved_model" and len(graphs) > 1:
        questions["tags"] = f"there are: {'; '.join(graph['name'] or '[]' for graph in graphs)}"
    found = {entry["name"]: entry for entry in graph["signatures"]}
    if kind == "saved_model":
        chosen = "serving_default" if "serving_default" in found else next(iter(sorted(found)), "__call__")
        if chosen != "serving_default":
            options["signature"] = chosen
        if len(found) > 1:
            questions["signature"] = f"there are: {', '.join(sorted(found))}"
        return options, found.get(chosen), questions
    if not found and kind == "pytorch":
        questions["inputs"] = (
            "TorchScript does not tell what it takes. Give name and shape of each input, channels last, before you "
            "build it: inputs: [{name: picture, shape: [1, 224, 224, 3]}]"
        )
    return options, graph["signatures"][0] if len(found) == 1 else None, questions


def _names(side, kind):
    """Return what the contract calls inputs or outputs."""
    names = [tensor["name"] for tensor in side]
    if kind not in _BY_TENSORS:
        return names if kind in ("keras", "saved_model") else contract_names(names, "the model")
    last = [name.rpartition("/")[2] for name in names]
    return contract_names(last if len(set(last)) == len(last) else names, "the model")


def _is_last(shape):
    return bool(shape) and len(shape) == 4 and shape[3] in _COLOURS and shape[1] not in (*_COLOURS, -1)


def _entry(kind, name, tensor, quantised, kept):
    """Return name, dtype and sizes of a tensor as the contract has them; sizes are None where nothing is known."""
    shape, dtype = tensor["shape"], tensor["dtype"]
    if kind in ("onnx", "pytorch") and shape and tensor["name"] not in kept:
        shape = [shape[place] for place in _CHANNELS_LAST.get(len(shape), range(len(shape)))]
    if kind == "tflite" and tensor["tensor"] in quantised:
        dtype = "float32"
    return name, dtype, shape, dtype != tensor["dtype"]


def _input(kind, name, dtype, shape, ranged):
    """Return the card's entry of an input, and the questions about it."""
    entry, questions = {"name": name, **({"dtype": dtype} if dtype else {})}, []
    sizes = shape and [1 if place == 0 and size == -1 else size for place, size in enumerate(shape)]
    if sizes is not None and -1 not in sizes:
        entry["shape"] = sizes
    elif kind != "tflite":
        known = ", ".join("?" if size == -1 else str(size) for size in sizes or ())
        told = "Its sizes are not told" if shape is None else f"Not all its sizes are told, [{known}]"
        questions.append(f"{told}: add `shape: [1, …]` before you build it.")
    if sizes and len(sizes) == 4 and {sizes[1], sizes[3]} & {*_COLOURS} and not ranged and dtype == "float32":
        questions.append(
            "A picture? Add what 0 and 255 of its pixels become, `value_range: [0, 1]` or [-1, 1] say, and "
            "`colour: BGR` where its colours are in that order."
        )
    return entry, questions


def _output(kind, name, dtype, shape, ranged, batched):
    """Return the card's entry of an output."""
    entry = {"name": name, **({"dtype": dtype} if dtype else {})}
    sizes = shape and [1 if place == 0 and size == -1 and batched else size for place, size in enumerate(shape)]
    # Which order a converted ONNX tensor has is found out by running it.
    if sizes and -1 not in sizes and not (kind in ("onnx", "pytorch") and len(sizes) in _CHANNELS_LAST):
        entry["shape"] = sizes
    return entry, []
