"""Which inputs of an ONNX model are not channels-first, so that they keep their order of dimensions."""

# The Transpose that makes channels-first of channels-last, by rank.
_TO_FIRST = {3: [0, 2, 1], 4: [0, 3, 1, 2], 5: [0, 4, 1, 2, 3]}
# Operators that hand on the order of dimensions of their first input.
_PASSING = (
    *("Add", "Cast", "Clip", "DequantizeLinear", "Div", "Identity", "Mul", "Pad", "QuantizeLinear", "Relu"),
    *("Sigmoid", "Sub", "Tanh"),
)
# Operators of which dimension 1 are the channels.
_PLANAR = (
    *("AveragePool", "BatchNormalization", "Conv", "ConvInteger", "ConvTranspose", "DepthToSpace"),
    *("GlobalAveragePool", "GlobalMaxPool", "InstanceNormalization", "LRN", "MaxPool", "PRelu", "QLinearConv"),
    *("SpaceToDepth",),
)
_RECURRENT = ("GRU", "LSTM", "RNN")
_COLOURS = (1, 3, 4)


def kept(model):
    """Return the names of inputs that keep their order.

    An input that a Transpose makes channels-first, and a sequence for a recurrent operator, do; what an operator takes
    whose channels are dimension 1 does not. Where no operator tells, a picture does by its size.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    readers = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found = []
    for value in model.graph.input:
        sizes = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if value.name not in weights and len(sizes) in _TO_FIRST:
            told = _told(value.name, readers, len(sizes))
            picture = len(sizes) == 4 and sizes[3] in _COLOURS and sizes[1] not in _COLOURS
            if all(told) if told else picture:
                found.append(value.name)
    return found


def _told(name, readers, rank):
    """Return what each operator that reads a tensor tells: whether it keeps its order."""
    seen, names, told = set(), [name], []
    while names:
        name = names.pop()
        seen.add(name)
        for node in readers.get(name, ()):
            order = next((list(each.ints) for each in node.attribute if each.name == "perm"), None)
            if order == _TO_FIRST[rank] or node.op_type in _RECURRENT:
                told.append(True)
            elif node.op_type in _PLANAR:
                told.append(False)
            elif node.op_type in _PASSING or (node.op_type == "Transpose" and rank == 3):
                names += [output for output in node.output if output not in seen]
    return told
