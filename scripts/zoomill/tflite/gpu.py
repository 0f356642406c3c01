"""Running .tflite files by LiteRT's GPU accelerator, WebGPU on SwiftShader, in a process that may crash.

It computes in float32 there, as the device says; GPUs of phones compute in float16.
"""

import os
import pickle
import re
import tempfile
import traceback
import typing

import numpy as np

from zoomill import supervisor
from zoomill.errors import UserError
from zoomill.tflite import swiftshader, tflite_file

_REFUSED = "Following operations are not supported by GPU delegate:"
_SHARED = re.compile(r"(\d+) operations will run on the GPU, and the remaining (\d+) operations will run on the CPU")
_ADAPTER = re.compile(r"Selected adapter: (.*)")
# What the accelerator warns of when it makes shaders of a graph; of itself it warns in another form.
_WARNING = re.compile(r"^W\d{4} \S+ +\d+ \S+\] (.*)", re.MULTILINE)
# The status of a child that hands over what a user has to be told.
_TOLD = 3


class CannotRun(Exception):
    """A file that the accelerator does not run; the text is its own, in one line."""


class Answer(typing.NamedTuple):
    """What a child did.

    Attributes:
        value: what its function returned.
        log: what native code printed meanwhile.
    """

    value: object
    log: str


class Program:
    """A .tflite file, compiled for the GPU, and for the processor what the GPU cannot run.

    Args:
        data: bytes of the file.

    Attributes:
        whole: whether the GPU runs all of it.
    """

    def __init__(self, data):
        from ai_edge_litert.compiled_model import CompiledModel
        from ai_edge_litert.hardware_accelerator import HardwareAccelerator

        both = HardwareAccelerator.GPU | HardwareAccelerator.CPU
        self._model = CompiledModel.from_buffer(data, hardware_accel=both)
        keys = [*self._model.get_signature_list()]
        self._place = keys.index(tflite_file.SIGNATURE) if tflite_file.SIGNATURE in keys else 0
        key = keys[self._place]
        self._inputs = [*self._model.get_input_tensor_details(key)]
        self._outputs = self._model.get_output_tensor_details(key)
        self._buffers = self._model.create_input_buffers(self._place), self._model.create_output_buffers(self._place)
        self.whole = bool(self._model.is_fully_accelerated())

    def __call__(self, stored):
        """Return ``{output: array}`` of ``{input: array}``, both as the file stores them and under its names."""
        given, found = self._buffers
        for name, buffer in zip(self._inputs, given, strict=True):
            buffer.write(np.ascontiguousarray(stored[name]))
        self._model.run_by_index(self._place, given, found)
        return {
            name: np.array(buffer.read(int(np.prod(details["shape"])), np.dtype(details["dtype"]).type)).reshape(
                details["shape"]
            )
            for (name, details), buffer in zip(self._outputs.items(), found, strict=True)
        }


def in_child(folder, work):
    """Return the :class:`Answer` of a process of its own that calls ``work()`` with SwiftShader as its Vulkan.

    Args:
        folder: of SwiftShader.
        work: function without arguments, which makes :class:`Program` objects; what it returns is copied.

    Raises:
        CannotRun: when it raises, or its process crashes.
        UserError: when it raises that.
    """
    with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as answer:
        child = os.fork()
        if not child:
            _work(folder, work, log, answer)
        _, status = os.waitpid(child, 0)
        for file in (log, answer):
            file.seek(0)
        text = log.read().decode(errors="replace")
        if os.WIFSIGNALED(status):
            raise CannotRun(f"the accelerator {supervisor.ended_by(os.WTERMSIG(status))}")
        if os.WEXITSTATUS(status) == _TOLD:
            raise pickle.load(answer)
        if status:
            raise CannotRun(_reason(text))
        return Answer(pickle.load(answer), text)


def _work(folder, work, log, answer):
    """Do the work and leave this process, never this function."""
    status = 1
    try:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
        swiftshader.load(folder)
        pickle.dump(work(), answer)
        answer.flush()
        status = 0
    except UserError as error:  # of an input
        pickle.dump(error, answer)
        answer.flush()
        status = _TOLD
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _reason(log):
    """Return the first line in which native code said what is wrong, else the last of all."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    said = [line for line in errors if not line.endswith("]") and line != _REFUSED]  # nor a place in LiteRT's code
    return [*said, *lines[-1:], "ended without a word"][0]


def run(folder, data, file, contract, feeds):
    """Run a file on the GPU.

    Args:
        folder: of SwiftShader.
        data: bytes of the file.
        file: :class:`zoomill.tflite.runtime.Artifact` of it.
        contract: of its graph.
        feeds: iterable of ``{input tensor: array}``.

    Returns:
        An :class:`Answer` whose value are :attr:`Program.whole` and what the GPU gives for each input, a list of
        ``{output: array}`` under the file's names and as it stores them.

    Raises:
        CannotRun: when the accelerator does not take it.
    """

    def work():
        program = Program(data)
        return program.whole, [program(file.stored(contract, feed)) for feed in feeds]

    return in_child(folder, work)


def residency(log, whole, model):
    """Return where the operators of a file run; those of constants alone, which are computed beforehand, do not count.

    Args:
        log: what the accelerator printed when it compiled the file.
        whole: :attr:`Program.whole`.
        model: ``ModelT`` of the file.

    Returns:
        ``operators``, how many there are; ``on_gpu``, how many the GPU runs; ``refused``, a line for each kind that it
        does not, in the accelerator's words.
    """
    shared, kinds = _SHARED.search(log), _kinds(model)
    lines = [line.strip() for line in log.partition(_REFUSED)[2].splitlines()]
    on_gpu = len(kinds) if whole else int(shared[1]) if shared else 0
    refused = [line for line in lines if line.startswith("CUSTOM ") or line.partition(":")[0] in kinds]
    return {"operators": len(kinds), "on_gpu": on_gpu, "refused": refused}


def _kinds(model):
    """Return the kinds of all operators of the first subgraph that read an input or another operator."""
    graph = model.subgraphs[0]
    moving = {int(index) for index in graph.inputs}
    kinds = []
    for operator in graph.operators:
        if moving.intersection(map(int, operator.inputs)):
            moving.update(map(int, operator.outputs))
            kinds.append(tflite_file.operator_name(model, operator))
    return kinds


def adapter(log):
    """Return what the accelerator says of the device that it takes, None where it says nothing."""
    said = _ADAPTER.search(log)
    return said and said[1]


def warnings(log):
    """Return what the accelerator warned of while it compiled a file, each once."""
    return [*dict.fromkeys(_WARNING.findall(log))]
