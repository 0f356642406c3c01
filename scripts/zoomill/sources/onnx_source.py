"""ONNX models: as a frozen TensorFlow graph made by onnx2tf, and as a function run by ONNX Runtime."""

import dataclasses
import os

import numpy as np

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.graph.source import Source, integer_notes
from zoomill.inspect import onnx as inspect_onnx
from zoomill.inspect.tensor_names import contract_names
from zoomill.sources import onnx_bisect, onnx_floats, onnx_halves, onnx_layout, onnx_normal, onnx_runtime
from zoomill.sources.onnx_network import network
from zoomill.sources.onnx_runtime import session

# From ONNX's order of dimensions to TensorFlow's, by rank: N, channels, space becomes N, space, channels.
CHANNELS_LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
_LETTERS = {3: "NCW", 4: "NCHW", 5: "NCDHW"}


@dataclasses.dataclass(frozen=True)
class Value:
    """An input or output of an ONNX model.

    Attributes:
        name: its ONNX name.
        contract_name: what the contract calls it.
        shape: sizes in ONNX's order.
        order: the dimensions of the graph's tensor, in ONNX's numbers.
    """

    name: str
    contract_name: str
    shape: tuple
    order: tuple

    @property
    def graph_shape(self):
        """Sizes in the graph's order."""
        return tuple(self.shape[axis] for axis in self.order)

    def to_source(self, array):
        """Return an array of the graph in ONNX's order."""
        return np.ascontiguousarray(np.transpose(array, np.argsort(self.order)))

    def to_graph(self, array):
        """Return an array of ONNX in the graph's order."""
        return np.transpose(array, self.order)

    def note(self):
        """Return a sentence about another order than ONNX's, as a list of none or one."""
        letters = _LETTERS.get(len(self.order), "")
        layout = "".join(letters[axis] for axis in self.order) if letters else ""
        return [f"{self.contract_name} is {layout} here and {letters} in the source"] if layout != letters else []


@dataclasses.dataclass(frozen=True)
class Converted:
    """A converted ONNX model.

    Attributes:
        graph: frozen GraphDef.
        inputs, outputs: :class:`~zoomill.graph.source.Tensor` lists, in ONNX's order.
        sources, results: :class:`Value` lists of the same.
    """

    graph: object
    inputs: list
    outputs: list
    sources: list
    results: list

    def notes(self):
        """Return sentences about what differs from the ONNX file."""
        return [note for value in (*self.sources, *self.results) for note in value.note()]


def load(folder, options, expected):
    """Return a model as a :class:`~zoomill.graph.source.Source`: see :mod:`zoomill.sources.exporter`."""
    path = os.path.join(folder, options["path"])
    original = read(path)
    narrow = [*onnx_floats.integers(original), *onnx_halves.halves(original)]
    model = onnx_halves.float_copy(original)
    model = onnx_floats.float_copy(model, path) if onnx_floats.integers(model) else model
    floats = session(model, path)
    kept = onnx_layout.kept(model)
    converted = to_graph(model, expected["inputs"], [*options.get("keep_layout", ()), *kept], path)
    orders = [
        f"{value.contract_name} has the order of dimensions that it has in the source"
        for value in converted.sources
        if value.name in kept
    ]
    return Source(
        converted.graph,
        converted.inputs,
        converted.outputs,
        runner(floats, converted, path),
        [*integer_notes(narrow), *orders, *converted.notes()],
        rounded=runner(session(original, path), converted, path) if narrow else None,
    )


def read(path):
    """Read an ONNX model with its external data, which then belong to the message.

    Raises:
        UserError: when the file is damaged, keeps data outside its folder, or has operators of others.
    """
    import onnx

    with refusing(f"{path}: is no ONNX file that can be read"):
        model = onnx.load(path, load_external_data=False)
    if not model.graph.node or not model.opset_import:
        raise UserError(f"{path}: is truncated, or is no ONNX model")
    del model.training_info[:]
    tensors, nodes = inspect_onnx.contents(model)
    for one in inspect_onnx.found(model, nodes):
        raise UserError(f"{path}: {one.place} is of {one.name}, an operator that neither ONNX nor ONNX Runtime has")
    for tensor in tensors:
        if place := inspect_onnx.external(path, tensor):
            _take_in(path, tensor, *place)
    return model


def _take_in(path, tensor, file, offset, length):
    """Move the values of a tensor from their own file into the message."""
    try:
        with open(file, "rb") as stored:
            size = os.fstat(stored.fileno()).st_size
            if size < offset + length:
                raise UserError(f"{path}: {file.name} is truncated: has {size} of {offset + length} bytes")
            stored.seek(offset)
            tensor.raw_data = stored.read(length)
    except OSError as error:
        raise UserError(f"{path}: {file.name} cannot be read: {error.strerror}") from error
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")


def runner(source, converted, path):
    """Return a function that runs a session on ``{input name: array}``, arrays in the graph's order.

    Args:
        source: what :func:`session` returned for the original model.
        converted: :class:`Converted`.
        path: of the file, for messages.
    """
    dtypes = onnx_runtime.dtypes(source)

    def run(feed):
        fed = {value.name: value.to_source(feed[value.contract_name]) for value in converted.sources}
        fed = {name: array.astype(dtypes[name]) for name, array in fed.items()}
        with refusing(f"{path}: ONNX Runtime cannot run it"):
            results = source.run([value.name for value in converted.results], fed)
        return {
            value.contract_name: value.to_graph(array) for value, array in zip(converted.results, results, strict=True)
        }

    return run


def to_graph(model, expected, kept, path):
    """Convert an ONNX model to a frozen graph, without network.

    Args:
        model: ModelProto.
        expected: the card's inputs, of which the shapes count, in the graph's order.
        kept: ONNX names of inputs whose order of dimensions the graph keeps.
        path: file name for messages.

    Returns:
        :class:`Converted`. Pictures and feature maps are channels-last in it.

    Raises:
        UserError: when an input leaves its shape open, or onnx2tf cannot convert the model.
    """
    sources = _inputs(model, [entry.get("shape") for entry in expected], kept, path)
    runtime = session(model, path)
    ranges = [entry.get("value_range") for entry in expected] or [None] * len(sources)
    with refusing(f"{path}: ONNX Runtime cannot run it"):
        runs = [_drawn_run(runtime, sources, ranges, seed) for seed in range(2)]
    normal = onnx_normal.normalised(model, runs[0][0], path)
    plain = [value.name for value in sources if value.order == tuple(range(len(value.order)))]
    keras = network(normal, plain, path)
    function = _function(keras, [entry.name for entry in runtime.get_outputs()], runs, path)
    dtypes = [tensor.dtype for tensor in keras.inputs]

    def convert(fed):
        feed = [value.to_graph(fed[value.name]) for value in sources]
        with refusing(f"{path}: onnx2tf makes a graph of it that cannot run"):
            tensors = function([array.astype(dtype.as_numpy_dtype) for array, dtype in zip(feed, dtypes, strict=True)])
            return [tensor.numpy() for tensor in tensors]

    try:
        results = _results(runtime, runs, convert, path)
    except UserError as error:
        feed = [value.to_graph(runs[0][0][value.name]) for value in sources]
        node = onnx_bisect.first_apart(normal, plain, runs[0][0], feed, path)
        raise UserError(f"{error}{onnx_bisect.told(node)}") from error
    with refusing(f"{path}: the graph that onnx2tf makes of it cannot be frozen"):
        frozen = _freeze(function, dtypes, sources, results)
    return Converted(*frozen, sources, results)


def _inputs(model, shapes, kept, path):
    """Return the inputs of a model as :class:`Value` entries, and write their sizes into the model."""
    weights = {tensor.name for tensor in model.graph.initializer}
    found = [value for value in model.graph.input if value.name not in weights]
    if unknown := sorted(set(kept) - {value.name for value in found}):
        raise UserError(f"{path}: has no input {unknown[0]} to keep the layout of")
    if shapes and len(shapes) != len(found):
        raise UserError(f"{path}: the card has {len(shapes)} inputs, the source {len(found)}")
    names = contract_names([value.name for value in found], path)
    result = []
    for value, name, shape in zip(found, names, shapes or [None] * len(found), strict=True):
        dims = value.type.tensor_type.shape.dim
        plain = tuple(range(len(dims)))
        order = plain if value.name in kept else CHANNELS_LAST.get(len(dims), plain)
        wanted = [shape[place] for place in np.argsort(order)] if len(shape or ()) == len(dims) else None
        for axis, dim in enumerate(dims):
            if not dim.dim_value and (axis == 0 or wanted):
                dim.dim_value = wanted[axis] if wanted else 1
        sizes = tuple(dim.dim_value for dim in dims)
        if 0 in sizes:
            raise UserError(f"{path}: input {value.name} leaves its shape open; give `shape` in the card's inputs")
        result.append(Value(value.name, name, sizes, order))
    del model.graph.value_info[:]  # inferred for the open shape
    return result


def _drawn_run(runtime, sources, ranges, seed):
    """Return drawn inputs by their ONNX names, and the outputs that ONNX Runtime makes of them."""
    random, dtypes = np.random.RandomState(seed), onnx_runtime.dtypes(runtime)
    fed = {
        value.name: value.to_source(onnx_runtime.draw(dtypes[value.name], value.graph_shape, limits, random))
        for value, limits in zip(sources, ranges, strict=True)
    }
    return fed, runtime.run(None, fed)


def _function(network, names, runs, path):
    """Return a function from inputs to all outputs; onnx2tf leaves out those that are constant."""
    import tensorflow as tf

    known = [name.replace(":", "__") for name in names]
    if len(network.output_names) == len(names):
        known = network.output_names
    constants = {}
    for name, known_name, first, second in zip(names, known, runs[0][1], runs[1][1], strict=True):
        if known_name not in network.output_names:
            if not np.array_equal(first, second):
                raise UserError(f"{path}: onnx2tf lost the output {name}")
            constants[known_name] = first

    def function(values):
        found = tf.nest.flatten(network(values, training=False))
        tensors = dict(zip(network.output_names, found, strict=True))
        return [tensors[name] if name in tensors else tf.constant(constants[name]) for name in known]

    return function


def _results(runtime, runs, convert, path):
    """Return the outputs of a model as :class:`Value` entries, their orders found by comparing with ONNX Runtime.

    Raises:
        UserError: when an output has other numbers in both runs, for one alone may hit a tie.
    """
    names, first = [entry.name for entry in runtime.get_outputs()], convert(runs[0][0])
    results = []
    for place, (name, contract_name) in enumerate(zip(names, contract_names(names, path), strict=True)):
        array, again = (arrays[place] for _, arrays in runs)
        value = Value(name, contract_name, array.shape, order_of(array, first[place], path))
        off = onnx_bisect.distance(value.to_graph(array), first[place]) if array.dtype.kind == "f" else 0
        # The names of the graph's constants count TensorFlow's calls, so that none is made in vain.
        if off > onnx_bisect.LIMIT:
            off = min(off, onnx_bisect.distance(value.to_graph(again), convert(runs[1][0])[place]))
        if off > onnx_bisect.LIMIT:
            raise UserError(f"{path}: onnx2tf makes an output {name} of it that is off by {off:.2g} of the peak")
        results.append(value)
    return results


def order_of(array, converted, path):
    """Return the order of dimensions in which a converted output agrees best with ONNX's."""
    plain = tuple(range(array.ndim))
    orders = (plain, CHANNELS_LAST.get(array.ndim, plain))
    fitting = [order for order in orders if np.transpose(array, order).shape == converted.shape]
    if not fitting:
        raise UserError(f"{path}: onnx2tf turned an output of {list(array.shape)} into {list(converted.shape)}")
    return min(fitting, key=lambda order: np.abs(np.transpose(array, order) - converted).max(initial=0))


def _freeze(function, dtypes, sources, results):
    """Return a function's GraphDef, and the :class:`~zoomill.graph.source.Tensor` lists of its ends."""
    import tensorflow as tf

    from zoomill.sources import freezing

    names, outputs = ([value.contract_name for value in values] for values in (sources, results))
    specs = {
        value.contract_name: tf.TensorSpec(value.graph_shape, dtype, name=value.contract_name)
        for value, dtype in zip(sources, dtypes, strict=True)
    }

    @tf.function
    def call(**feed):
        return dict(zip(outputs, function([feed[name] for name in names]), strict=True))

    graph, *ends = freezing.freeze(call.get_concrete_function(**specs))
    ordered = [
        [next(tensor for tensor in end if tensor.name == name) for name in wanted]
        for end, wanted in zip(ends, (names, outputs), strict=True)
    ]
    return graph, *ordered
