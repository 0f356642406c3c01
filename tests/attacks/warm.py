"""Run commands of scripts/ in forks of one process that has imported what is heavy.

``python -m attacks.warm ENVIRONMENT`` reads requests, a JSON object a line: ``command``, ``flags``, ``folder`` (of the
file ``log``, and working directory), ``limit`` in seconds. It answers each with a line ``{status, seconds}``, status
being that of :class:`attacks.exporters.Outcome`.
"""

import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

HEAVY = {
    "base": ("numpy", "h5py", "flatbuffers", "google.protobuf"),
    "tf2": ("tensorflow", "tf_keras", "keras", "h5py", "cv2"),
    "onnx": (
        "tensorflow",
        "tf_keras",
        "onnx",
        "onnxruntime",
        "onnx2tf",
        "tf2onnx.convert",
        "ai_edge_litert.interpreter",
    ),
    "torch": ("torch", "torch.export", "torch.onnx", "onnx", "onnxscript"),
}
_MEMORY = 6 << 30  # bytes; a mutant that asks for more must not stop others


def call(request):
    """Run a command as if it were started as a script, and end this process."""
    from zoomill import command

    status = 0
    try:
        command.run(importlib.import_module(request["command"]).main, request["flags"])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - as the interpreter does it
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def fork(request):
    """Start a command in a child process and return its number."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    log = os.open(os.path.join(request["folder"], "log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(request["folder"])
    os.makedirs("temporary", exist_ok=True)
    os.environ["TMPDIR"] = os.path.abspath("temporary")
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return call(request)


def wait(child, limit):
    """Return the status of a child, None when it had to be stopped."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main(environment):
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
    for name in HEAVY[environment]:
        importlib.import_module(name)
    for line in sys.stdin:
        request, start = json.loads(line), time.monotonic()
        status = wait(fork(request), request["limit"])
        print(json.dumps({"status": status, "seconds": time.monotonic() - start}), file=answers, flush=True)


if __name__ == "__main__":
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    main(sys.argv[1])
