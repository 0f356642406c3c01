"""Call functions of a page in Chromium, in the environment that can drive one.

Reads a JSON object from standard input: ``folders`` to serve, ``webgpu``, ``page`` to open or null, and ``calls``,
pairs of a function and its request. Writes ``adapter``, ``backends`` and ``answers``; of a call that fails, the error.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from zoomill.tfjs import browser, tfjs_runtime

asked = json.load(sys.stdin)
with browser.start(asked["folders"], webgpu=asked["webgpu"]) as chromium:
    answers = []
    for function, request in asked["calls"]:
        if asked["page"]:
            chromium.open(asked["page"])
        try:
            answers.append(chromium.call(function, request))
        except tfjs_runtime.CannotRun as error:
            answers.append({"error": str(error)})
    found = {"adapter": chromium.adapter, "backends": chromium.backends, "answers": answers}
print(json.dumps(found))
