"""Running .tflite files by LiteRT.js on the page web/prove.html."""

import base64

import numpy as np

from zoomill.tfjs import browser, tfjs_runtime

ACCELERATORS = ("wasm", "webgpu")
# What LiteRT.js 2.5.3 reads and writes.
DTYPES = ("float32", "int32", "uint8")


def run(chromium, address, accelerator, stored, runs):
    """Run a file on inputs one by one.

    Args:
        chromium: :class:`zoomill.tfjs.browser.Browser`.
        address: of the file, from the page.
        accelerator: one of :data:`ACCELERATORS`.
        stored: list of ``{input: array}``, under the file's names and as it stores them; at least one.
        runs: how often, at least.

    Returns:
        What measure() of web/runner.js gives, the times those of the first inputs; ``outputs`` is a list of
        ``{output: array}``, and ``leaks`` a list of phrases.

    Raises:
        CannotRun: with the page's reason.
    """
    measured, outputs, leaks = None, [], []
    for part in browser.in_parts(stored):
        inputs = [{name: _encoded(array) for name, array in feed.items()} for feed in part]
        request = {"file": address, "names": None, "accelerator": accelerator, "inputs": inputs, "runs": runs}
        found = chromium.call("proveLiteRt", request)
        measured = measured or found
        outputs += [{name: tfjs_runtime.decode(tensor) for name, tensor in one.items()} for one in found["outputs"]]
        leaks += tfjs_runtime.leaks(found["tensors"])
    return {**measured, "outputs": outputs, "leaks": [*dict.fromkeys(leaks)]}


def _encoded(array):
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": data}
