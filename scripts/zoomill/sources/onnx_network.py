"""onnx2tf: from an ONNX model to a Keras model."""

import contextlib
import io
import os
import re
import sys
import tempfile

import numpy as np

from zoomill.errors import UserError
from zoomill.framework import reason

# onnx2tf feeds this file, which it would fetch from a code host, to every model that takes pictures, to find out
# shapes and layouts.
_SAMPLE = "calibration_image_sample_data_20x128x128x3_float32.npy"


def network(model, kept, path):
    """Return the Keras model that onnx2tf makes of an ONNX model, without network.

    Args:
        model: ModelProto.
        kept: names of inputs whose order of dimensions stays.
        path: file name for messages.

    Raises:
        UserError: naming the operator at which onnx2tf fails.
    """
    import onnx
    import onnx2tf

    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, _inside(folder), _resizing_as_before_18():
        np.save(_SAMPLE, np.random.RandomState(0).uniform(0, 1, (20, 128, 128, 3)).astype(np.float32))
        try:
            # Of a failure it prints a traceback and advice on its own flags.
            with contextlib.redirect_stdout(said):
                onnx.save(model, "model.onnx")
                return _exiting(
                    onnx2tf.convert,
                    input_onnx_file_path="model.onnx",
                    output_folder_path="out",
                    keep_shape_absolutely_input_names=list(kept) or None,
                    disable_model_save=True,
                    verbosity="error",
                )
        except Exception as error:  # whatever it raises, the model is the cause
            at = _failing(model, said.getvalue())
            raise UserError(f"{path}: onnx2tf cannot convert {at}: {reason(error)}") from error


def _failing(model, said):
    """Return the operator and node at which onnx2tf says that it fails, ``it`` where it says none."""
    names = re.findall(r"onnx_op_name: (?:wa)?(\S+)", said)
    for node in model.graph.node if names else ():
        if node.name.strip("/").replace(":", "__") == names[0].strip("/"):
            return f"{node.op_type} {node.name}"
    return names[0] if names else "it"


@contextlib.contextmanager
def _resizing_as_before_18():
    """Let onnx2tf read coordinate modes of Resize, which it does not from opset 18 on."""
    from onnx2tf.ops import Resize

    make_node = Resize.make_node
    Resize.make_node = lambda *, opset, **options: make_node(opset=min(opset, 17), **options)
    try:
        yield
    finally:
        Resize.make_node = make_node


def _exiting(function, **options):
    """Call a function that may end the process instead of raising an error."""
    try:
        return function(**options)
    except SystemExit as error:
        raise RuntimeError(f"it exits with {error.code}") from error


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
