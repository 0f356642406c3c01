"""Hostile files do nothing: refused in one line with the checks, contained by the sandbox without them.

A share of tests/attacks/, with its harmless payloads; tests/bench/attacks.py runs all of them.
"""

import pytest
from attacks import judge, make

ATTACKS = {(attack.kind, attack.name): attack for attack in make.all_attacks()}
# Each stands for a way into a framework; what differs in the name of an operator only is for the unit tests.
CHECKED = [
    ("keras", "h5 with a lambda and a zip appended"),
    ("keras", "h5 whose layer writes a file"),
    ("keras", "h5 with weights in any file"),
    ("keras", "archive nested 20000 deep"),
    ("frozen_graph", "reads a file"),
    ("frozen_graph", "writes a file inside a loop"),
    ("frozen_graph", "is a chain of 60000 nodes"),
    ("saved_model", "initialiser writes a file"),
    ("tf1_checkpoint", "checkpoint whose meta graph writes a file"),
    ("darknet", "width of 1e20"),
    ("onnx", "weights are behind a link"),
    ("onnx", "weights of length 1e18"),
    ("tflite", "subgraph that calls itself"),
    ("pytorch", "script reads a file"),
    ("pytorch", "program with pickled weights"),
]
UNCHECKED = [
    ("keras", "h5 with a lambda"),
    ("frozen_graph", "reads a file"),
    ("saved_model", "initialiser writes a file"),
    ("onnx", "weights are behind a link"),
    ("pytorch", "script saves a file"),
]
OTHERS = [
    ("card", "bomb of aliases"),
    ("card", "key that is null"),
    ("card", "name of the cache"),
    ("archive", "member behind a chain of links"),
    ("archive", "chain of 9000 links"),
    ("server", "redirects to half an address"),
    ("server", "length of 5000 digits"),
    ("server", "reason with escape sequences"),
]
INSPECTED = {
    ("keras", "h5 with a lambda"): "told",
    ("frozen_graph", "reads a file"): "told",
    ("frozen_graph", "writes a file inside a loop"): "told",
    ("saved_model", "initialiser writes a file"): "told",
    ("onnx", "weights are behind a link"): "refused",
}
BY_KIND = {"card": judge.card, "archive": judge.archive, "server": judge.server}

pytestmark = pytest.mark.slow


def each(keys):
    """Return a decorator that runs a test for each attack, with its name in the test's."""
    return pytest.mark.parametrize("attack", [ATTACKS[key] for key in keys], ids=[": ".join(key) for key in keys])


@pytest.fixture(scope="session")
def hostile(tmp_path_factory, environment_python):
    """Return a function that makes all attacks of an environment that are tested here, once, and returns the folder."""
    folder, names = tmp_path_factory.mktemp("attacks"), {}
    for key in {*CHECKED, *UNCHECKED, *OTHERS, *INSPECTED}:
        names.setdefault(ATTACKS[key].environment, []).append(ATTACKS[key].name)

    def made(environment):
        if environment != "base":
            environment_python(environment)
        if environment in names:
            judge.make(folder, environment, names.pop(environment))
        return folder

    return made


@each(CHECKED)
def test_a_hostile_file_is_refused_in_one_line(hostile, attack):
    verdict, outcome = judge.export(hostile(attack.environment), attack)
    assert verdict == "refused", outcome.log


@each(UNCHECKED)
def test_the_sandbox_holds_what_a_missing_check_lets_in(hostile, attack):
    verdict, outcome = judge.export(hostile(attack.environment), attack, checked=False)
    assert verdict == "contained", outcome.log


@each(OTHERS)
def test_a_hostile_card_archive_or_server_stops_nothing_else(hostile, attack):
    verdict, outcome = BY_KIND[attack.kind](hostile(attack.environment), attack)
    assert verdict in ("refused", "harmless"), outcome.log


@each(INSPECTED)
def test_inspection_tells_what_a_hostile_file_does(hostile, attack):
    verdict, outcome = judge.inspect(hostile(attack.environment), attack)
    assert verdict == INSPECTED[attack.kind, attack.name], outcome.log
