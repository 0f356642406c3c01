"""ONNX models: as a frozen TensorFlow graph made by onnx2tf, and as a function run by ONNX Runtime."""

import contextlib
import dataclasses
import os
import sys
import tempfile

import numpy as np

from zoomill.errors import UserError
from zoomill.inspect import guards
from zoomill.names import contract_names

# onnx2tf feeds this file, which it would fetch from a code host, to every model that takes pictures, to find out
# shapes and layouts.
_SAMPLE = "calibration_image_sample_data_20x128x128x3_float32.npy"
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
        inputs, outputs: :class:`~zoomill.export.Tensor` lists, in ONNX's order.
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


def read(path):
    """Read an ONNX model with its external data.

    Raises:
        UserError: when the file is damaged, or keeps data outside its folder.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import external_data_helper as external

    try:
        model = onnx.load(path, load_external_data=False)
        if not model.graph.node or not model.opset_import:
            raise UserError(f"{path}: is truncated, or is no ONNX model")
        for tensor in external._get_all_tensors(model):
            if external.uses_external_data(tensor):
                guards.beside(path, external.ExternalDataInfo(tensor).location)
        external.load_external_data_for_model(model, os.path.dirname(os.path.abspath(path)))
    except (DecodeError, OSError, ValueError, onnx.checker.ValidationError) as error:
        raise UserError(f"{path}: is no ONNX file that can be read: {_first_line(error)}") from error
    return model


def session(path, model=None):
    """Return an ONNX Runtime session on one thread.

    Args:
        path: file of the model; for messages where ``model`` is given.
        model: ModelProto to run instead of the file.

    Raises:
        UserError: when ONNX Runtime cannot run it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # Without it, products of uint8 and int8 saturate on x86-64 without VNNI, and results depend on the machine.
    options.add_session_config_entry("session.x64quantprecision", "1")
    source = model.SerializeToString() if model else path
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its kinds derive from Exception only
        raise UserError(f"{path}: ONNX Runtime cannot run it: {_first_line(error)}") from error


def runner(source, converted):
    """Return a function that runs a session on ``{input name: array}``, arrays in the graph's order.

    Args:
        source: what :func:`session` returned for the original file.
        converted: :class:`Converted`.
    """

    def run(feed):
        fed = {value.name: value.to_source(feed[value.contract_name]) for value in converted.sources}
        results = source.run([value.name for value in converted.results], fed)
        return {
            value.contract_name: value.to_graph(array) for value, array in zip(converted.results, results, strict=True)
        }

    return run


def to_graph(model, shapes, kept, path):
    """Convert an ONNX model to a frozen graph, without network.

    Args:
        model: ModelProto.
        shapes: shapes from the card in the graph's order, one for each input or None; empty for none.
        kept: ONNX names of inputs whose order of dimensions the graph keeps.
        path: file name for messages.

    Returns:
        :class:`Converted`. Pictures and feature maps are channels-last in it.

    Raises:
        UserError: when an input leaves its shape open, or onnx2tf cannot convert the model.
    """
    sources = _inputs(model, shapes, kept, path)
    network = _network(model, sources, path)
    runtime = session(path, model)
    dtypes = [tensor.dtype for tensor in network.inputs]
    runs = [_drawn_run(runtime, sources, dtypes, seed) for seed in range(2)]
    function = _function(network, [entry.name for entry in runtime.get_outputs()], runs, path)
    results = _results(runtime, function, runs[0], path)
    return Converted(*_freeze(function, dtypes, sources, results), sources, results)


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


def _network(model, sources, path):
    """Return the Keras model that onnx2tf makes of an ONNX model."""
    import onnx
    import onnx2tf

    kept = [value.name for value in sources if value.order == tuple(range(len(value.order)))]
    with tempfile.TemporaryDirectory() as folder, _inside(folder):
        np.save(_SAMPLE, np.random.RandomState(0).uniform(0, 1, (20, 128, 128, 3)).astype(np.float32))
        onnx.save(model, "model.onnx")
        try:
            return onnx2tf.convert(
                input_onnx_file_path="model.onnx",
                output_folder_path="out",
                keep_shape_absolutely_input_names=kept or None,
                disable_model_save=True,
                verbosity="error",
            )
        except (Exception, SystemExit) as error:  # it raises whatever a layer raises, and exits
            raise UserError(f"{path}: onnx2tf cannot convert it: {_first_line(error)}") from error


@contextlib.contextmanager
def _inside(folder):
    """Work in ``folder``, with this Python's programs on PATH: onnx2tf calls onnxsim."""
    before, path = os.getcwd(), os.environ["PATH"]
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), path])
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ["PATH"] = path


def _drawn_run(runtime, sources, dtypes, seed):
    """Return drawn inputs in the graph's order, and the outputs that ONNX Runtime makes of them."""
    random = np.random.RandomState(seed)
    feed = [
        random.uniform(0, 1, value.graph_shape).astype(dtype.as_numpy_dtype)
        for value, dtype in zip(sources, dtypes, strict=True)
    ]
    fed = {value.name: value.to_source(array) for value, array in zip(sources, feed, strict=True)}
    return feed, runtime.run(None, fed)


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


def _results(runtime, function, run, path):
    """Return the outputs of a model as :class:`Value` entries, their orders found by comparing with ONNX Runtime."""
    feed, arrays = run
    names = [entry.name for entry in runtime.get_outputs()]
    try:
        converted = function(feed)
    except Exception as error:  # of TensorFlow and Keras, for a graph whose sizes do not fit
        raise UserError(f"{path}: onnx2tf makes a graph of it that cannot run: {_first_line(error)}") from error
    return [
        Value(name, contract_name, array.shape, order_of(array, tensor.numpy(), path))
        for name, contract_name, array, tensor in zip(
            names, contract_names(names, path), arrays, converted, strict=True
        )
    ]


def order_of(array, converted, path):
    """Return the order of dimensions in which a converted output agrees best with ONNX's."""
    plain = tuple(range(array.ndim))
    orders = (plain, CHANNELS_LAST.get(array.ndim, plain))
    fitting = [order for order in orders if np.transpose(array, order).shape == converted.shape]
    if not fitting:
        raise UserError(f"{path}: onnx2tf turned an output of {list(array.shape)} into {list(converted.shape)}")
    return min(fitting, key=lambda order: np.abs(np.transpose(array, order) - converted).max(initial=0))


def _freeze(function, dtypes, sources, results):
    """Return a function's GraphDef, and the :class:`~zoomill.export.Tensor` lists of its ends."""
    import tensorflow as tf

    from zoomill import tf_sources

    names, outputs = ([value.contract_name for value in values] for values in (sources, results))
    specs = {
        value.contract_name: tf.TensorSpec(value.graph_shape, dtype, name=value.contract_name)
        for value, dtype in zip(sources, dtypes, strict=True)
    }

    @tf.function
    def call(**feed):
        return dict(zip(outputs, function([feed[name] for name in names]), strict=True))

    graph, *ends = tf_sources.freeze(call.get_concrete_function(**specs))
    ordered = [
        [next(tensor for tensor in end if tensor.name == name) for name in wanted]
        for end, wanted in zip(ends, (names, outputs), strict=True)
    ]
    return graph, *ordered


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
