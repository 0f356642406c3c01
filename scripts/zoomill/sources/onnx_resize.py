"""Resize and Upsample of ONNX as nodes that onnx2tf converts rightly.

Of fixed sizes, both are a linear map of each axis by itself. What this map is, with all its coordinate modes, rounding
and antialiasing, ONNX Runtime tells: it resizes the unit vectors. Where TensorFlow's ResizeBilinear or
ResizeNearestNeighbor is the same map, the node stays one of these, else it becomes Gather or a product of matrices.
"""

import dataclasses

import numpy as np

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.sources import onnx_runtime

OPERATORS = ("Resize", "Upsample")
# Coordinate modes that TensorFlow's operators have too, with the rounding of ResizeNearestNeighbor.
_NATIVE = {"half_pixel": "round_prefer_ceil", "align_corners": "round_prefer_ceil", "asymmetric": "floor"}
# Coordinates are float32 numbers of this relative precision, computed in different orders.
_PRECISION = 2.0**-23
# In opset 11 and 12 every input is there, and is empty where it says nothing.
_ALL_GIVEN = (11, 12)
_SHAPING = ("axes", "keep_aspect_ratio_policy", "scales")


@dataclasses.dataclass(frozen=True)
class Axis:
    """What happens to one axis.

    Attributes:
        place: its number.
        matrix: float32 ``(out, in)``.
        outside: the value that places outside of the input get, float32 ``(out,)``; 0 inside.
    """

    place: int
    matrix: np.ndarray
    outside: np.ndarray

    @property
    def indices(self):
        """Which input each output is, None where one is a mixture."""
        alone = (self.matrix == 1).sum(1) == 1
        return np.argmax(self.matrix, 1) if np.all(alone & (np.count_nonzero(self.matrix, 1) == 1)) else None


def constant_inputs(node, opset):
    """Return the names of the inputs that must be known: ``{roi, scales or sizes: name}``."""
    names = ("roi", "scales", "sizes") if opset > 10 else ("scales",)
    return {kind: name for kind, name in zip(names, node.input[1:], strict=False) if name}


def rewrite(node, opset, x, size, known, path):
    """Return the nodes in place of one, and their constants as TensorProto list; None where it may stay as it is.

    Args:
        node: NodeProto, a Resize or Upsample.
        opset: version of ONNX's operators.
        x: an array in the shape and dtype of its input.
        size: shape of its output.
        known: ``{roi, scales or sizes: array}`` of :func:`constant_inputs`.
        path: file name for messages.

    Raises:
        UserError: when it is no map of each axis by itself, or mixes integers.
    """
    unlike = UserError(
        f"{path}: {node.op_type} {node.name or node.output[0]} resizes {list(x.shape)} to {list(size)} in a way that "
        "cannot be taken apart into its axes; export it with `sizes`, and without a policy on aspect ratios"
    )
    axes = _axes(node, opset, x.shape, size, known, path)
    if any(len(axis.matrix) != size[axis.place] for axis in axes):
        raise unlike
    native = _native(node, x.shape, axes, opset)
    if native and opset < 11:
        return None
    made = _with_sizes(node, native, size, opset) if native else _own(node, axes, size)
    drawn = np.random.RandomState(0).standard_normal(x.shape).astype(np.float32)
    inputs = {name: known[kind] for kind, name in constant_inputs(node, opset).items()}
    expected = _run([node], opset, drawn, [_tensor(name, array) for name, array in inputs.items()], path)
    found = _run(made[0], opset, drawn, made[1], path)
    if found.shape != expected.shape or np.abs(found - expected).max() > 1e-4 * np.abs(expected).max():
        raise unlike
    if x.dtype.kind != "f" and any(axis.indices is None for axis in axes):
        raise UserError(
            f"{path}: {node.op_type} {node.name or node.output[0]} mixes {x.dtype.name} numbers; cast them to float32"
        )
    return made


def _axes(node, opset, shape, size, known, path):
    """Return the :class:`Axis` entries of all that changes, measured by ONNX Runtime."""
    attributes = _attributes(node)
    rank = len(shape)
    chosen = [axis % rank for axis in attributes.get("axes", range(rank))]
    scales = attributes.get("scales") or known.get("scales", np.zeros(0))
    scales = dict(zip(chosen, scales, strict=False)) if len(scales) else {}
    ratios = [np.float32(size[axis]) / np.float32(shape[axis]) for axis in chosen]
    if attributes.get("keep_aspect_ratio_policy", b"stretch") != b"stretch":
        wanted = [np.float32(s) / np.float32(shape[axis]) for s, axis in zip(known["sizes"], chosen, strict=True)]
        scale = min(wanted) if attributes["keep_aspect_ratio_policy"] == b"not_larger" else max(wanted)
        scales = {a: scale for a, ratio in zip(chosen, ratios, strict=True) if ratio != scale}
    crops = attributes.get("coordinate_transformation_mode") == b"tf_crop_and_resize"
    regions = {}
    if crops:
        starts, ends = np.split(np.asarray(known["roi"], np.float32), 2)
        regions = {axis: (s, e) for axis, s, e in zip(chosen, starts, ends, strict=True)}
    found = []
    for axis in chosen:
        region = regions.get(axis, (0, 1))
        if size[axis] != shape[axis] or scales.get(axis, 1) != 1 or tuple(region) != (0, 1):
            found.append(_measured(node, opset, axis, shape[axis], size[axis], scales.get(axis), region, path))
    return found


def _measured(node, opset, place, before, after, scale, region, path):
    """Return an :class:`Axis`: what the operator makes of unit vectors, and of zeros."""
    from onnx import NodeProto

    alone = NodeProto()
    alone.CopyFrom(node)
    del alone.attribute[:], alone.input[:]
    alone.attribute.extend(attribute for attribute in node.attribute if attribute.name not in _SHAPING)
    scales = np.array([1, 1, 1, after / before if scale is None else scale], np.float32)
    if opset > 10:
        sizes = {"sizes": np.array([1, 1, before + 1, after])} if scale is None else {"scales": scales}
        constants = {"roi": np.array([0, 0, 0, region[0], 1, 1, 1, region[1]], np.float32), **sizes}
        inputs, tensors = _inputs("x", "", constants, opset)
        alone.input.extend(inputs)
    elif node.op_type == "Upsample" and opset < 9:
        alone.attribute.add(name="scales", type=6, floats=scales)
        alone.input.extend(["x"])
        tensors = []
    else:
        alone.input.extend(["x", "scales"])
        tensors = [_tensor("scales", scales)]
    basis = np.concatenate([np.eye(before, dtype=np.float32), np.zeros((1, before), np.float32)])[None, None]
    found = _run([alone], opset, basis, tensors, path)[0, 0]
    return Axis(place, (found[:-1] - found[-1]).T, found[-1])


def _native(node, shape, axes, opset):
    """Return the coordinate mode with which TensorFlow's own operator is the same map, None where none is."""
    mode = _attributes(node).get("mode", b"nearest").decode()
    spatial = len(shape) in (3, 4) and all(axis.place > 1 and not axis.outside.any() for axis in axes)
    if not spatial or mode not in ("nearest", "linear"):
        return None
    # onnx2tf takes half_pixel for the coordinate mode of operators before opset 11, which have none.
    modes = _NATIVE if opset > 10 else ("half_pixel",)
    return next((known for known in modes if all(_agrees(axis.matrix, mode, known) for axis in axes)), None)


def _with_sizes(node, coordinates, size, opset):
    """Return a Resize with given sizes and a coordinate mode that TensorFlow has."""
    from onnx import helper

    mode = _attributes(node).get("mode", b"nearest").decode()
    constants = {"sizes": np.array(size, np.int64)}
    options = {"mode": mode, "coordinate_transformation_mode": coordinates}
    if mode == "nearest":
        options["nearest_mode"] = _NATIVE[coordinates]
    inputs, tensors = _inputs(node.input[0], f"{node.output[0]}/", constants, opset)
    return [helper.make_node("Resize", inputs, list(node.output), name=node.name, **options)], tensors


def _inputs(x, prefix, constants, opset):
    """Return the names of a Resize's inputs from opset 11 on, and its constants as TensorProto list."""
    if opset in _ALL_GIVEN:
        constants = {"roi": np.zeros(0, np.float32), "scales": np.zeros(0, np.float32), **constants}
    names = [prefix + kind if kind in constants else "" for kind in ("roi", "scales", "sizes")]
    tensors = [_tensor(prefix + kind, array) for kind, array in constants.items()]
    return [x, *(names if names[2] else names[:2])], tensors


def _agrees(matrix, mode, coordinates):
    """Tell whether TensorFlow's operator is this map: tensorflow/core/util/image_resizer_state.h."""
    after, before = matrix.shape
    corners = coordinates == "align_corners" and after > 1
    for dtype in (np.float32, np.float64):
        scale = dtype(before - 1) / dtype(after - 1) if corners else dtype(before) / dtype(after)
        places = np.arange(after, dtype=dtype)
        if coordinates != "half_pixel":
            places = places * scale
        elif mode == "nearest":
            places = (places + dtype(0.5)) * scale
        else:
            places = (places + dtype(0.5)) * scale - dtype(0.5)
        expected = np.zeros((after, before))
        rows = np.arange(after)
        if mode == "nearest":
            chosen = np.floor(places + 0.5) if coordinates == "align_corners" else np.floor(places)
            expected[rows, chosen.astype(int).clip(0, before - 1)] = 1
        else:
            lower = np.floor(places)
            np.add.at(expected, (rows, lower.astype(int).clip(0, before - 1)), 1 - (places - lower))
            np.add.at(expected, (rows, np.ceil(places).astype(int).clip(0, before - 1)), places - lower)
        if np.abs(expected - matrix).max() > (0 if mode == "nearest" else 1e-6 + before * _PRECISION):
            return False
    return True


def _own(node, axes, size):
    """Return the node as Gather and MatMul nodes."""
    nodes, constants, name = [], [], node.output[0]
    source = node.input[0]

    def add(operator, inputs, **options):
        nonlocal source
        from onnx import helper

        source = f"{name}/{len(nodes)}"
        title = f"{node.name or name}/{operator}_{len(nodes)}"
        nodes.append(helper.make_node(operator, inputs, [source], name=title, **options))

    def constant(array):
        constants.append(_tensor(f"{name}/constant_{len(constants)}", array))
        return constants[-1].name

    for axis in axes:
        last = len(size) - 1
        if axis.indices is not None:
            add("Gather", [source, constant(axis.indices)], axis=axis.place)
        elif axis.place == last - 1:
            add("MatMul", [constant(axis.matrix), source])
        else:
            order = list(range(last + 1))
            order[axis.place], order[last] = last, axis.place
            if axis.place != last:
                add("Transpose", [source], perm=order)
            add("MatMul", [source, constant(axis.matrix.T)])
            if axis.place != last:
                add("Transpose", [source], perm=order)
    if any(axis.outside.any() for axis in axes):
        filled = np.zeros([1] * len(size), np.float32)
        for axis in axes:
            along = np.expand_dims(axis.outside, [place for place in range(len(size)) if place != axis.place])
            filled = np.where(filled != 0, filled, along)
        add("Add", [source, constant(filled)])
    if not nodes:
        add("Identity", [source])
    nodes[-1].output[0] = name
    return nodes, constants


def _run(nodes, opset, x, constants, path):
    """Return what nodes make of an array, by ONNX Runtime."""
    from onnx import helper

    known = {"", *(tensor.name for tensor in constants)}
    (data,) = [name for name in nodes[0].input if name not in known]
    inputs = [helper.make_tensor_value_info(data, 1, x.shape)]
    output = helper.make_tensor_value_info(nodes[-1].output[0], 1, None)
    graph = helper.make_graph(nodes, "resize", inputs, [output], constants)
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    with refusing(f"{path}: ONNX Runtime cannot run it"):
        return onnx_runtime.session(model, path).run(None, {data: x})[0]


def _attributes(node):
    """Return ``{name: value}``, texts as bytes."""
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _tensor(name, array):
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(array), name)
