"""Running TensorFlow.js models: what the runner in web/ is told and answers, and running it in Node."""

import base64
import contextlib
import os
from pathlib import Path

import numpy as np

from zoomill import made
from zoomill.errors import UserError
from zoomill.plan import javascript
from zoomill.proof import parity
from zoomill.tfjs import node_process
from zoomill.tfjs.node_process import CannotRun
from zoomill.tfjs.tfjs_model import DTYPES, MODEL, OPERATORS, read_document

BACKENDS = ("wasm", "cpu")
_DTYPES = {"float32": "<f4", "int32": "<i4", "bool": "?", "uint8": "u1"}


def add_library(parser):
    """Add the flag that names the folder of what runs TensorFlow.js: the packages, and a link to Node."""

    def library(path):
        made.unchecked(os.path.join(path, javascript.PROGRAM))  # lies elsewhere
        return made.unchecked(path)

    parser.add_argument("--library", type=library, required=True, help="folder of the JavaScript packages and Node")


def encode(array):
    """Return an array as web/runner.js reads it; TensorFlow.js has no other integers than int32."""
    dtype = "float32" if np.issubdtype(array.dtype, np.floating) else "int32"
    if array.dtype == bool:
        dtype = "bool"
    data = base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()
    return {"dtype": dtype, "shape": list(array.shape), "data": data}


def decode(tensor):
    """Return a tensor of web/runner.js as an array of its dtype and shape."""
    values = np.frombuffer(base64.b64decode(tensor["data"]), _DTYPES[tensor["dtype"]])
    return values.reshape(tensor["shape"])


def request(folder, contract, golden=None):
    """Return what the runner must know of a graph model, but not where it runs.

    Args:
        folder: that of model.json.
        contract: contract of its graph.
        golden: ``{tensor: array}``, one row for each pinned input; None where inputs follow one by one.

    Returns:
        ``operators``, ``inputs`` and ``outputs`` of a request.

    Raises:
        UserError: when the model's signature lacks a name of the contract.
    """
    inputs, outputs = (signature_tensors(folder, contract, side) for side in ("inputs", "outputs"))
    return {
        "operators": OPERATORS if Path(folder, OPERATORS).exists() else None,
        "inputs": None if golden is None else feeds(inputs, contract, golden),
        "outputs": list(outputs.values()),
    }


def feeds(names, contract, golden):
    """Return the golden inputs one by one as the runner reads them, by ``{contract name: name in the run}``."""
    return [_encoded(feed, names, contract) for feed in parity.feeds(contract, golden)]


def signature_tensors(folder, contract, side):
    """Return ``{contract name: tensor}`` of ``inputs`` or ``outputs``, by the signature in model.json."""
    signature = read_document(folder).get("signature", {}).get(side, {})
    for entry in contract[side]:
        if entry["name"] not in signature:
            raise UserError(f"{folder}: the signature of its {MODEL} has no {side[:-1]} {entry['name']}")
    return {entry["name"]: signature[entry["name"]]["name"] for entry in contract[side]}


def check(folder, contract):
    """Refuse a contract that is not of a model.

    Args:
        folder: that of model.json, whose signature counts.
        contract: contract of a graph.

    Raises:
        UserError: with a phrase for each name, number, dtype and shape that differs.
    """
    signature, problems = read_document(folder).get("signature", {}), []
    for side in ("inputs", "outputs"):
        known, names = signature.get(side, {}), [entry["name"] for entry in contract[side]]
        if sorted(names) == sorted(known):
            differ = (_differences(entry, known[entry["name"]]) for entry in contract[side])
            problems += [phrase for phrases in differ for phrase in phrases]
        else:
            problems.append(f"its {side} are {', '.join(known)}, those of the contract {', '.join(names)}")
    if problems:
        raise UserError("; ".join(problems))


def _differences(entry, told):
    """Return one phrase for everything in which the contract's entry differs from what a signature tells of it."""
    name, said = entry["name"], {code: dtype for dtype, code in DTYPES.items()}.get(told.get("dtype"))
    if said and entry.get("dtype", "float32") != said:
        return [f"{name} is {said}, in the contract {entry.get('dtype', 'float32')}"]
    shape = [int(one["size"]) for one in told.get("tensorShape", {}).get("dim", [])]
    promised = entry.get("shape")
    fits = (
        promised is None
        or len(shape) == len(promised)
        and all(a in (-1, b) for a, b in zip(shape, promised, strict=True))
    )
    return [] if fits or not shape else [f"{name} has the shape {shape}, in the contract {promised}"]


def run_golden(folder, contract, golden, backend, library, runs=1, ask=None):
    """Run a graph model in Node on all golden inputs.

    Args:
        folder: that of model.json.
        contract: contract of its graph.
        golden: ``{tensor: array}``, one row for each pinned input.
        backend: one of :data:`BACKENDS`.
        library: folder of the JavaScript packages and Node.
        runs: how often at least.
        ask: what :func:`node` gave; a process of its own runs the model without.

    Returns:
        What measure() of web/runner.js gives; ``outputs`` is ``[{output name: array}, …]``, one for each input.
    """
    where = {"library": str(library), "model": os.path.join(folder, MODEL), "backend": backend, "runs": runs}
    measured = (ask or run_in_node)({**where, **request(folder, contract, golden)})
    return with_arrays(measured, signature_tensors(folder, contract, "outputs"))


def with_arrays(measured, names):
    """Return a measurement whose outputs are arrays under the contract's names.

    Args:
        measured: what measure() of web/runner.js gives.
        names: ``{contract name: name in the run}``.
    """
    return {**measured, "outputs": [_arrays(found, names) for found in measured["outputs"]]}


def _encoded(feed, names, contract):
    return {names[entry["name"]]: encode(feed[entry["tensor"]].reshape(entry["shape"])) for entry in contract["inputs"]}


def _arrays(found, names):
    return {name: decode(found[key]) for name, key in names.items()}


def run_in_node(request):
    """Return what measure() of web/runner.js gives for a model in Node.

    Args:
        request: as web/node.js reads it.

    Raises:
        UserError: when there is no Node.
        CannotRun: with the reason of TensorFlow.js.
    """
    with node(request["library"]) as ask:
        return ask(request)


@contextlib.contextmanager
def opened(folder, contract, backend, library):
    """Give a function that runs a graph model on one input after another, all in one process of Node.

    Args:
        folder, contract, backend, library: as for :func:`run_golden`.

    Yields:
        Function from ``{input tensor: array}`` to ``{output name: array}``, batch of one included.

    Raises:
        UserError: as :func:`run_in_node`; of a model that cannot be run, by the function.
    """
    given, found = (signature_tensors(folder, contract, side) for side in ("inputs", "outputs"))
    where = {"library": str(library), "model": os.path.join(folder, MODEL), "backend": backend}
    with node_process.started(library) as (send, answer):
        send({**where, **request(folder, contract)})

        def run(feed):
            send(_encoded(feed, given, contract))
            return _arrays(answer(where["model"]), found)

        yield run


@contextlib.contextmanager
def node(library):
    """Give a function like :func:`run_in_node`, whose requests are all answered by one process of Node.

    Args:
        library: folder of the JavaScript packages and Node.
    """
    with node_process.started(library) as (send, answer):

        def ask(request):
            send(request)
            return answer(request["model"])

        yield ask


def judge(measured, contract, golden, limits, timed=False):
    """Return what evidence says about one backend, failures, and what was not tested.

    Args:
        measured: what :func:`with_arrays` gave.
        contract, golden: as for :func:`request`.
        limits: as for :func:`zoomill.proof.parity.of_outputs`.
        timed: whether times mean anything, as nothing ran beside.

    Returns:
        Times in milliseconds if timed, tensors and parity; a phrase for every limit that is missed and for tensors that
        are left behind; a phrase for everything that was not tested.
    """
    found, failures, not_tested = parity.of_outputs(measured["outputs"], contract, golden, limits)
    times = {key: round(measured[key], 3) for key in ("load_ms", "first_ms", "median_ms") if timed}
    figures = times | {key: measured[key] for key in ("execution", "runs", "tensors")} | {"parity": found}
    return figures, [*leaks(measured["tensors"]), *failures], not_tested


def on_backends(backends, run, contract, golden, limits, timed=False):
    """Return what evidence says about all backends, failures, and what was not tested on any of them.

    Args:
        backends: their names.
        run: function from a backend to what :func:`with_arrays` gives, which may raise :class:`CannotRun`.
        contract, golden, limits, timed: as for :func:`judge`.
    """
    figures, failures, not_tested = {}, [], []
    for backend in backends:
        try:
            figures[backend], missed, open_questions = judge(run(backend), contract, golden, limits, timed)
        except CannotRun as error:
            figures[backend], missed, open_questions = {"error": str(error)}, [str(error)], []
        failures += [f"{backend}: {phrase}" for phrase in missed]
        not_tested += [phrase for phrase in open_questions if phrase not in not_tested]
    return figures, failures, not_tested


def leaks(tensors):
    """Return one phrase for every way in which a model left tensors behind, or lost some of its own.

    Args:
        tensors: how many are alive ``before`` it is loaded, when it is ``loaded``, ``after_runs``, ``after_dispose``.
    """
    pairs = (("the runs", "after_runs", "loaded"), ("dispose", "after_dispose", "before"))
    changes = [(phrase, tensors[late] - tensors[early]) for phrase, late, early in pairs]
    return [f"{change:+d} tensors after {phrase}" for phrase, change in changes if change]


def worst(backends):
    """Return the parity of the backend with the lowest ratio, output by output."""
    result = {}
    for entry in backends.values():
        for name, figures in entry.get("parity", {}).items():
            # Written so that NaN, which is no number, wins.
            if name not in result or not figures["sqnr"] >= result[name]["sqnr"]:
                result[name] = figures
    return result


def sensitivity(folder, contract, golden_feeds, variants, backend, library):
    """Return what web/sensitivity.js measures of a graph model in Node.

    Args:
        folder, contract, backend, library: as for :func:`run_golden`.
        golden_feeds: list of ``{input tensor: array}``.
        variants: ``{name: model.json of the same model with quantised weights}``.
    """
    stacked = {name: np.stack([feed[name] for feed in golden_feeds]) for name in golden_feeds[0]}
    where = {"library": str(library), "model": os.path.join(folder, MODEL), "backend": backend, "variants": variants}
    return run_in_node({**where, **request(folder, contract, stacked)})
