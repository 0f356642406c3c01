"""The table of what can be delivered: a row for each variant of each format."""

import dataclasses
import functools

# How near to the golden outputs a variant must come, by what was done to its numbers; see config.schema.yaml.
_FLOAT = {"sqnr": 60, "share": 0.01, "decisions": 1, "score": 0.001, "unmatched": 0}
_HALF = {"sqnr": 40, "share": 0.05, "decisions": 1, "score": 0.02, "unmatched": 0}
_SIXTEEN = {"sqnr": 50, "share": 0.02, "decisions": 1, "score": 0.02, "unmatched": 0}
_WEIGHTS = {"sqnr": 15, "share": 0.5, "decisions": 0.9, "score": 0.1, "unmatched": 0.1}
_NIBBLES = {"sqnr": 5, "share": 0.8, "decisions": 0.8, "score": 0.15, "unmatched": 0.2}
_INTEGERS = {"sqnr": 10, "share": 0.8, "decisions": 0.8, "score": 0.15, "unmatched": 0.2}


@dataclasses.dataclass(frozen=True)
class Variant:
    """A row.

    Attributes:
        format: what artifacts of it end in: ``tflite``, ``openvino`` or ``tfjs``.
        name: of the variant, by what is quantised.
        maker: the command that makes it.
        limits: the usual limits; variants of one name have the same in all formats.
        made_from: ``graph``, ``source``, or a variant for the file of that variant, graph and format.
        graphs: ``all``; ``grafted``, where graphs with TFLite_Detection_PostProcess get it afterwards; ``without_op``.
        converter: the start of a .tflite file's description.
        weights: dtypes in which a .tflite file may store weights of more than 1024 elements.
        ends: dtype of a .tflite file's inputs and outputs that are float32 in the contract.
        stated_inputs: whether scale and zero point of an input follow from the contract's value range alone.
        quantiser: what made a .tflite file's numbers small.
        for_gpu: whether convolutions have the form of :mod:`zoomill.tflite.gpu_form`.
        calibrated: whether the calibration of the float32 file is read.
        integers: whether a .tflite file's activations are integers.
        needs: what the card must have, by names of :data:`zoomill.plan.targets.NEEDS`, in the order they are told.
        of_fake_quant: whether a graph with fake-quant nodes, which holds its ranges itself, can be had so.
        record: whether a record of how it was found lies beside it.
        no_micro: why TFLite Micro runs no file of it, and there is no C array.
        usual: whether it is delivered of a card without a list of its own: ``always``, or only of a kind of source or
            of a graph with fake-quant nodes (``fake_quant``).
    """

    format: str
    name: str
    maker: str
    limits: dict
    made_from: str = "float32"
    graphs: str = "without_op"
    converter: str = "MLIR Converted."
    weights: tuple = ("float32",)
    ends: str = "float32"
    stated_inputs: bool = False
    quantiser: str = ""
    for_gpu: bool = False
    calibrated: bool = False
    integers: bool = False
    needs: tuple = ()
    of_fake_quant: bool = False
    record: bool = False
    no_micro: str = ""
    usual: str = ""


def _tflite(name, maker, limits, **more):
    return Variant("tflite", name, maker, limits, **more)


def _quantised(name, limits, **more):
    """Return the row of what ai-edge-quantizer makes out of the float32 file."""
    usual = {"maker": "quantise_tflite", "quantiser": "ai-edge-quantizer", "graphs": "grafted", "usual": "always"}
    return _tflite(name, limits=limits, **{**usual, **more})


_NO_KERNELS = "TFLite Micro has no kernels for {}"
_INT8 = {"weights": ("int8",), "calibrated": True, "integers": True, "needs": ("calibration",)}
_GRAPH = {"made_from": "graph", "of_fake_quant": True}
_BY_TOCO = {**_GRAPH, "graphs": "all", "converter": "TOCO Converted."}

TABLE = (
    _tflite("float32", "convert_tflite", _FLOAT, graphs="grafted", usual="always", **_GRAPH),
    _quantised("float16", _HALF, weights=("float16",), no_micro=_NO_KERNELS.format("weights of float16")),
    _quantised("dynamic", _WEIGHTS, weights=("int8",), no_micro=_NO_KERNELS.format("weights of int8 and float inputs")),
    _quantised("weight_int8", _WEIGHTS, weights=("int8",), no_micro="TFLite Micro takes one scale for all channels"),
    _quantised("weight_int4", _NIBBLES, weights=("int4", "int8"), no_micro=_NO_KERNELS.format("weights of int4")),
    _quantised("int8", _INTEGERS, **_INT8),
    _quantised("int8_tensor", _INTEGERS, **_INT8),
    _quantised("int8_io", _INTEGERS, **_INT8, ends="int8", graphs="without_op"),
    _quantised("uint8_io", _INTEGERS, **_INT8, ends="uint8", graphs="without_op"),
    # Of an embedding, the table has the dtype of what it gives.
    _quantised("int16x8", _WEIGHTS, **{**_INT8, "weights": ("int8", "int16")}),
    _quantised("int8_gpu", _INTEGERS, **_INT8, maker="rewrite_for_gpu", made_from="int8", for_gpu=True, usual=""),
    _quantised(
        "int8_mixed",
        _INTEGERS,
        maker="bisect_quantisation",
        weights=("int8", "float32"),
        calibrated=True,
        integers=True,
        needs=("calibration", "evaluation", "drop"),
        record=True,
        usual="",
    ),
    _quantised(
        "tf_int8",
        _INTEGERS,
        maker="quantise_tensorflow",
        made_from="graph",
        quantiser="TensorFlow",
        weights=("int8",),
        integers=True,
        needs=("calibration",),
        of_fake_quant=True,
    ),
    _tflite("toco_float32", "run_toco", _FLOAT, usual="tf1_detection", **_BY_TOCO),
    _tflite(
        "toco_uint8",
        "run_toco",
        _INTEGERS,
        weights=("uint8",),
        ends="uint8",
        integers=True,
        stated_inputs=True,
        quantiser="TOCO",
        needs=("toco",),
        no_micro=_NO_KERNELS.format("uint8"),
        usual="fake_quant",
        **_BY_TOCO,
    ),
    _tflite("torch_float32", "convert_pytorch", _FLOAT, made_from="source", needs=("pytorch",), usual="always"),
    Variant("openvino", "float32", "convert_openvino", _FLOAT, **_GRAPH),
    Variant("tfjs", "float32", "convert_tfjs", _FLOAT, **_GRAPH),
    Variant("tfjs", "float16", "quantise_tfjs", _HALF, of_fake_quant=True),
    Variant("tfjs", "uint16", "quantise_tfjs", _SIXTEEN, of_fake_quant=True),
    Variant("tfjs", "uint8", "quantise_tfjs", _WEIGHTS, of_fake_quant=True),
    Variant("tfjs", "planned", "plan_tfjs", _WEIGHTS, of_fake_quant=True, record=True),
)
# What artifacts of a format are called in messages.
FORMATS = {"tflite": "TFLite", "openvino": "OpenVINO", "tfjs": "TensorFlow.js"}


# Columns that say what a file must look like.
_PROMISES = ("name", "converter", "weights", "ends", "stated_inputs", "quantiser", "for_gpu")


def promises(form, name):
    """Return what a variant's file must look like, ``{column: value}``."""
    found = row(form, name)
    return {column: getattr(found, column) for column in _PROMISES}


def rows(**wanted):
    """Return the rows whose columns have some values, in the table's order: ``rows(format="tflite", ends="int8")``."""
    return [row for row in TABLE if all(getattr(row, column) == value for column, value in wanted.items())]


def names(**wanted):
    """Return the names of variants whose columns have some values, each once."""
    return list(dict.fromkeys(row.name for row in rows(**wanted)))


@functools.cache
def row(form, name):
    """Return the row of a variant of a format.

    Raises:
        KeyError: when there is none.
    """
    found = rows(format=form, name=name)
    if not found:
        raise KeyError(f"{name} in {form}")
    return found[0]
