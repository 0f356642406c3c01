"""The first tensor of a .tflite file that other kernels give otherwise than LiteRT's reference kernels."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from zoomill.proof import spread
from zoomill.tflite import elsewhere, runtime, tflite_ends, tflite_file

_FLOAT = schema.TensorType.FLOAT32


def first(data, contract, feeds, kernels, threads):
    """Return where the kernels part on the input on which their answers are farthest apart.

    Args:
        data: bytes of the file, with one subgraph whose inputs are in the contract's order.
        contract: of its graph.
        feeds: iterable of ``{input tensor: array}``, one at least.
        kernels: a name of :data:`zoomill.tflite.runtime.KERNELS`.
        threads: that LiteRT may use.

    Returns:
        What :func:`zoomill.proof.spread.parting` returns, by :data:`zoomill.tflite.elsewhere.LIMITS`: of a tensor its
        name, the ``operator`` that makes it, and its ``place`` of so many ``operators``.

    Raises:
        RuntimeError, ValueError: when the kernels refuse the file.
    """
    reference, other = _both(data, contract, kernels, threads)
    worst, most = None, -1.0
    for feed in feeds:
        expected, found = reference(contract, feed), other(contract, feed)
        far = max(spread.apart(expected[name], found[name]) for name in expected)
        if not far <= most:
            worst, most = feed, far
    shown, inner = exposed(tflite_file.parse(data, None), contract)
    expected, found = (run(inner, worst) for run in _both(shown, inner, kernels, threads))
    return parting(tflite_file.parse(data, None), expected, found)


def parting(model, expected, found):
    """Return what :func:`first` does, of two runs of an exposed file.

    Args:
        model: ``ModelT`` of the file that was exposed, as it was before.
        expected, found: ``{output: array}`` of either run.
    """
    return spread.parting(_tensors(model, expected, found), elsewhere.LIMITS)


def _both(data, contract, kernels, threads):
    return runtime.Artifact(data, "reference", contract), runtime.Artifact(data, kernels, contract, threads)


def exposed(model, contract):
    """Return a file whose outputs are all its activations, and its contract.

    What a delegate computes inside cannot be read otherwise.

    Args:
        model: ``ModelT`` of a file, changed in place.
        contract: contract of its graph.

    Returns:
        Its bytes; the contract, with an output ``t<number of the tensor>`` for each activation. All are float32, as
        some runtimes read no others: a DEQUANTIZE stands behind integers.
    """
    graph, names = model.subgraphs[0], {}
    for index, entry in zip(graph.inputs, contract["inputs"], strict=True):
        graph.tensors[index].name = entry["tensor"].encode()
    code = tflite_file.add_operator_code(model, schema.BuiltinOperator.DEQUANTIZE, version=2)
    for index in [int(index) for operator in graph.operators for index in operator.outputs]:
        tensor = shown = graph.tensors[index]
        if tflite_file.is_quantised(tensor):
            shown = schema.TensorT(type=_FLOAT, shape=tensor.shape, quantization=schema.QuantizationParametersT())
            graph.tensors.append(shown)
            graph.operators.append(tflite_ends.cast(code, "DEQUANTIZE", index, len(graph.tensors) - 1))
        if shown.type == _FLOAT:
            shown.name = f"t{index}".encode()
            names[f"t{index}"] = index if shown is tensor else len(graph.tensors) - 1
    model.signatureDefs, graph.outputs = [], np.array([*names.values()], np.int32)
    outputs = [{"name": name, "tensor": name, "dtype": "float32"} for name in names]
    return tflite_file.serialise(model), {**contract, "outputs": outputs}


def _tensors(model, expected, found):
    """Yield what :func:`zoomill.proof.spread.parting` reads."""
    graph = model.subgraphs[0]
    for place, operator in enumerate(graph.operators, 1):
        told = {"operator": tflite_file.operator_name(model, operator), "place": place}
        for index in map(int, operator.outputs):
            if (name := f"t{index}") in expected:
                tensor = graph.tensors[index]
                about = {**told, "operators": len(graph.operators), "tensor": tensor.name.decode()}
                yield about, _far(tensor, expected[name], found[name])


def _far(tensor, expected, found):
    far = {"share": spread.apart(expected, found)}
    if tflite_file.is_quantised(tensor):
        far["steps"] = int(np.rint(np.abs(expected - found).max(initial=0) / float(tensor.quantization.scale[0])))
    return far
