"""Break the files of right sources and see how ``inspect`` and the exporters take them."""

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile

import numpy as np

from attacks import exporters
from attacks.mutations import FORMS
from attacks.seeds import SEEDS

LIMIT = 60  # seconds for one mutant
BAD = ("traceback", "crash", "hang")
WORDS = ("refused", *BAD, "accepted", "same outputs", "other outputs")


class Warm(contextlib.AbstractContextManager):
    """A process of an environment that runs commands: see :mod:`attacks.warm`."""

    def __init__(self, environment):
        surroundings = {**os.environ, **exporters.FIXED, "PYTHONPATH": exporters.PYTHONPATH}
        command = [exporters.python(environment), "-m", "attacks.warm", environment]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(list(map(str, command)), env=surroundings, text=True, **pipes)

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()

    def run(self, command, flags, folder, limit=LIMIT):
        """Return the :class:`~attacks.exporters.Outcome` of a command in a folder."""
        request = {"command": command, "flags": list(map(str, flags)), "folder": str(folder), "limit": limit}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        log = (folder / "log").read_text(errors="replace")
        return exporters.Outcome(answer["status"], log, answer["seconds"])


def make_seeds(folder, environment):
    """Make the right sources of an environment."""
    surroundings = {**os.environ, **exporters.FIXED, "PYTHONPATH": exporters.PYTHONPATH}
    command = [exporters.python(environment), "-m", "attacks.seeds", folder, environment]
    subprocess.run(list(map(str, command)), env=surroundings, check=True, stdout=sys.stderr)


def mutant(name, seeds, seed, number, folder):
    """Copy a source into a folder and break it; number 0 is the right one.

    Args:
        name: key of :data:`attacks.seeds.SEEDS`.
        seeds: folder of the right sources.
        seed, number: decide alone what is broken.
    """
    chosen = SEEDS[name]
    shutil.copytree(seeds / chosen.folder, folder)
    if number:
        generator = random.Random(f"{seed}:{name}:{number}")
        path = folder / generator.choice(chosen.files)
        others = sorted(each for each in seeds.rglob("*") if each.is_file() and each.stat().st_size < 1 << 20)
        other = generator.choice(others).read_bytes()
        path.write_bytes(FORMS[chosen.form](generator, path.read_bytes(), other))


class Fuzz:
    """The mutants of one seed, through inspection and its exporter.

    Args:
        name: key of :data:`attacks.seeds.SEEDS`.
        seeds: folder of the right sources.
        seed: of the random generators.
        work: folder for the mutants, which are removed again.
        warm: ``{environment: Warm}``.
        javascript: folder of the JavaScript packages, for TensorFlow.js.
    """

    def __init__(self, name, seeds, seed, work, warm, javascript):
        self.name, self._seeds, self._seed, self._work, self._warm = name, seeds, seed, work, warm
        self._javascript = javascript
        self._right = None
        word, outcome, self._right = self._export(0)
        if word != "other outputs":
            raise RuntimeError(f"the right {name} is not exported: {outcome.log}")

    def inspect(self, number):
        """Return the word for a mutant's inspection, and its outcome."""
        with self._mutant(number) as folder:
            chosen = SEEDS[self.name]
            flags = [exporters.model_file(chosen.kind, folder / "source", chosen.flags)]
            outcome = self._warm["base"].run("inspect_model", flags, folder)
            return outcome.word, outcome

    def export(self, number):
        """Return the word for a mutant's export, one of :data:`WORDS`, and its outcome."""
        return self._export(number)[:2]

    def _export(self, number):
        chosen = SEEDS[self.name]
        with self._mutant(number) as folder:
            flags = exporters.flags(chosen.kind, folder / "source", folder / "output", self._javascript, **chosen.flags)
            outcome = self._warm[chosen.environment].run(exporters.command_of(chosen.kind), flags, folder)
            if outcome.word != "accepted":
                return outcome.word, outcome, None
            found = _golden(folder / "output")
        same = self._right is not None and found.keys() == self._right.keys()
        same = same and all(np.array_equal(found[key], self._right[key], equal_nan=True) for key in found)
        return "same outputs" if same else "other outputs", outcome, found

    @contextlib.contextmanager
    def _mutant(self, number):
        folder = self._work / "mutant"
        folder.mkdir(parents=True)
        try:
            (folder / "output").mkdir()
            mutant(self.name, self._seeds, self._seed, number, folder / "source")
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _golden(output):
    """Return the arrays of golden.npz that are numbers."""
    (path,) = output.rglob("*.npz")
    try:
        with np.load(path) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, zipfile.BadZipFile):  # texts, say
        return {"bytes": np.frombuffer(path.read_bytes(), "u1")}
