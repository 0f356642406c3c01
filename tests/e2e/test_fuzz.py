"""Broken files give one line: a share of tests/bench/fuzz.py, the same mutants in every run."""

import pytest
from attacks import fuzzing
from attacks.seeds import SEEDS

MUTANTS = 12
SEED = 1

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory, environment_python, request):
    """Return a function from a name of :data:`SEEDS` to its :class:`~attacks.fuzzing.Fuzz`."""
    folder, warm = tmp_path_factory.mktemp("fuzz"), {}

    def start(environment):
        if environment not in warm:
            warm[environment] = fuzzing.Warm(environment)
            request.addfinalizer(warm[environment].__exit__)

    def make(name):
        environment = SEEDS[name].environment
        environment_python(environment)
        if environment not in warm:
            fuzzing.make_seeds(folder / "seeds" / environment, environment)
        for each in ("base", environment):
            start(each)
        javascript = request.getfixturevalue("javascript") if SEEDS[name].kind == "tfjs" else None
        return fuzzing.Fuzz(name, folder / "seeds" / environment, SEED, folder / "work", warm, javascript)

    return make


@pytest.mark.parametrize("name", SEEDS)
def test_broken_files_end_in_one_line(fuzz, name):
    chosen, bad = fuzz(name), []
    for number in range(1, MUTANTS + 1):
        for through in (chosen.inspect, chosen.export):
            word, outcome = through(number)
            if word in fuzzing.BAD:
                bad.append((number, through.__name__, word, outcome.log[-1000:]))
    assert bad == []
