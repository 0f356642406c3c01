"""Make every mutant of some artifacts and let the validator of their format judge it.

    PYTHON tests/mutants/judge.py --work FOLDER --output FILE results/MODEL/main.int8.tflite ...

PYTHON is that of the environment the validator runs in. FOLDER holds a finished run; nothing in it is changed. FILE
becomes a JSON list, for each mutant ``{"artifact": path, "mutant": name, "verdict": verdict, "phrases": [phrase, …]}``.
The verdict is that of the evidence, ``failed`` where the validator ends in an ``error:`` line; or

- ``not applicable``: the artifact has nothing that this mutant changes;
- ``equivalent``: the verdict is no failure, and no output differs by a bit from the right artifact's on the golden
  inputs and on drawn ones;
- ``crashed``: the validator ends in a traceback.

The right artifact is judged too, as the mutant ``none``.
"""

import argparse
import functools
import importlib
import json
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np

TESTS = Path(__file__).resolve().parents[1]
# In place of this file's own folder, whose modules are named like packages.
sys.path[:1] = [str(TESTS), str(TESTS.parent / "scripts")]

from zoomill import files, folders  # noqa: E402
from zoomill.errors import UserError  # noqa: E402
from zoomill.graph import golden_inputs  # noqa: E402
from zoomill.plan import variants  # noqa: E402
from zoomill.proof import evidence, parity  # noqa: E402

FLIPPED = "one byte flipped"
# How many drawn inputs a mutant must agree on to count as equivalent.
_DRAWN = 40


class Right:
    """A right artifact, and what its validator is told about it.

    Args:
        work: folder of the finished run.
        artifact: path of the artifact inside it.
        library: folder of the JavaScript packages.
    """

    def __init__(self, work, artifact, library):
        self.path, self.form = work / artifact, artifact.rsplit(".", 1)[-1]
        self.library = library
        self.evidence = files.read_json(f"{self.path}.json")
        model, graph = self.evidence["model"], self.evidence["graph"]
        of_source = work / "build" / model / (graph if graph in ("main", "inference") else "detect_cut")
        self._contract, self._golden = work / "build" / model / graph / "contract.json", of_source / "golden.npz"
        self._anchors, exact = of_source / "anchors.npy", self.path.with_name(f"{graph}.float32.{self.form}")
        self._exact = [exact] if "descent" in self.evidence else []
        calibration = self.path.with_name(f"{of_source.name}.calibration.json")
        self._calibration = [calibration] if "calibration" in self.evidence else []
        self.contract = files.read_json(self._contract)
        self._kit = importlib.import_module(f"mutants.{self.form}")
        self._validator = importlib.import_module(f"validate_{self.form}")
        self.mutants = self._kit.MUTANTS

    def make(self, name, folder):
        """Write a mutant to a folder and return its path, or None where there is nothing to change."""
        path = folder / self.path.name
        if name == FLIPPED:
            return self._flip(path)
        network = self._kit.Network(self.path, self.contract)
        if name == "none" or self.mutants[name](network):
            network.save(path)
        changed = path.exists() and (name == "none" or folders.digest(path) != self._saved_digest)
        return path if changed else None

    @functools.cached_property
    def _saved_digest(self):
        """Return the digest of the right artifact as a network writes it."""
        with tempfile.TemporaryDirectory() as folder:
            return folders.digest(self.make("none", Path(folder)))

    def _flip(self, path):
        """Flip a bit of the largest file's middle byte, where a record says what the bytes were."""
        record = self.path.parent / ".made" / f"{self.path.name}.json"
        if not record.exists():
            return None
        shutil.copytree(self.path, path) if self.path.is_dir() else shutil.copy(self.path, path)
        (path.parent / ".made").mkdir()
        shutil.copy(record, path.parent / ".made")
        largest = max((Path(member) for member in folders.members(path)), key=lambda member: member.stat().st_size)
        largest.chmod(0o644)
        data = bytearray(largest.read_bytes())
        data[len(data) // 2] ^= 1
        largest.write_bytes(data)
        return path

    def judge(self, path):
        """Return the validator's verdict on an artifact, and its phrases."""
        output = path.parent / "evidence.json"
        flags = {"artifact": path, "contract": self._contract, "golden": self._golden, "output": output}
        name = self.evidence["variant"]
        promises = json.dumps(variants.promises("tflite", name)) if self.form == "tflite" else name
        flags |= {"variant": promises, "limits": json.dumps(self.evidence["limits"])}
        flags |= {"library": self.library, "runs": 1} if self.form == "tfjs" else {}
        several = {} if self.form == "openvino" else {"float": self._exact}
        if self.form == "tflite":
            several |= {"calibration": self._calibration, "anchors": [self._anchors] if self._anchors.exists() else []}
        words = [f"--{key}={value}" for key, value in flags.items()]
        words += [word for key, values in several.items() for word in (f"--{key}", *map(str, values))]
        try:
            self._validator.main(words)
        except UserError as error:
            return "failed", [str(error)]
        except Exception as error:
            traceback.print_exc()
            return "crashed", [f"{type(error).__name__}: {error}"]
        found = files.read_json(output)
        return found["verdict"], [*found["failures"], *found["not_tested"]]

    def equals(self, path):
        """Tell whether an artifact gives the very outputs of the right one."""
        pairs = zip(self._outputs, self._run(path), strict=True)
        return all(np.array_equal(one[name], other[name], equal_nan=True) for one, other in pairs for name in one)

    @functools.cached_property
    def _outputs(self):
        return self._run(self.path)

    @functools.cached_property
    def _feeds(self):
        inputs = self.contract["inputs"]
        drawn = [golden_inputs.draw(inputs, seed) for seed in range(_DRAWN)]
        drawn = [{entry["tensor"]: feed[entry["name"]] for entry in inputs} for feed in drawn]
        golden = list(parity.feeds(self.contract, evidence.read_golden(self._golden)))
        return [{name: feed[name].reshape(drawn[0][name].shape) for name in drawn[0]} for feed in golden] + drawn

    def _run(self, path):
        return self._kit.run(path, self.contract, self._feeds, *([self.library] if self.form == "tfjs" else []))


def judgement(right, name):
    """Return the verdict on one mutant of a right artifact, and its phrases."""
    with tempfile.TemporaryDirectory() as folder:
        path = right.make(name, Path(folder))
        if path is None:
            return "not applicable", []
        verdict, phrases = right.judge(path)
        if name != "none" and verdict in ("passed", "not tested") and right.equals(path):
            return "equivalent", phrases
        return verdict, phrases


def main(argv=None):
    """Write the judgements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifacts", nargs="+", help="paths of artifacts inside the run's folder")
    parser.add_argument("--work", type=Path, required=True, help="folder of a finished run")
    parser.add_argument("--mutants", nargs="*", help="only these; without, all that the format has")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    evidence.read_golden = functools.lru_cache(1)(evidence.read_golden)
    rows = []
    for artifact in args.artifacts:
        right = Right(args.work.resolve(), artifact, args.work.resolve() / "build/javascript")
        for name in args.mutants or ["none", *right.mutants, FLIPPED]:
            if name in ("none", FLIPPED, *right.mutants):
                verdict, phrases = judgement(right, name)
                rows.append({"artifact": artifact, "mutant": name, "verdict": verdict, "phrases": phrases})
        print(f"{artifact}: {len(rows)} mutants judged", file=sys.stderr, flush=True)
    args.output.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
