"""Break small right sources of every kind and count how `inspect` and the exporters take them.

    .venv/bin/python tests/bench/fuzz.py --javascript FOLDER [--mutants 150] [--seed 1] [--kinds KIND …]

What is broken depends on the seed alone. FOLDER is build/javascript of any run. It prints Markdown: a table, and below
it each mutant that gave a traceback, a crash or a hang, to be made again by `--kinds KIND --numbers N`, which keeps its
files where `--work` says. The exit status is 1 if there is any.
"""

import argparse
import collections
import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "scripts")]

from attacks import fuzzing  # noqa: E402
from attacks.seeds import SEEDS  # noqa: E402

from zoomill import tables  # noqa: E402

HEADINGS = ("source", "through", "mutants", *fuzzing.WORDS)


def why(outcome):
    """Return the place and the last line of a traceback, or the end of what was printed."""
    lines = [line.strip() for line in outcome.log.splitlines() if line.strip()] or [""]
    places = [line for line in lines if line.startswith("File ")]
    own = [line for line in places if "/scripts/" in line]
    where = [line.split(", in ")[0].rsplit("/", 1)[-1].replace('"', "") for line in (own[-1:] + places[-1:])]
    return " < ".join([lines[-1][:160], *reversed(where)])


def tried(fuzz, numbers, rows, bad):
    """Run some mutants of a seed and add to the table and the list of bad ones."""
    for through in ("inspect", "export"):
        counts = collections.Counter()
        for number in numbers:
            word, outcome = getattr(fuzz, through)(number)
            counts[word] += 1
            if word in fuzzing.BAD:
                bad.append(f"- {fuzz.name}, {through}, {number}: {word} after {outcome.seconds:.1f} s: {why(outcome)}")
                print(bad[-1], file=sys.stderr, flush=True)
        rows.append((fuzz.name, through, str(len(numbers)), *(str(counts[word] or "") for word in fuzzing.WORDS)))
        print(rows[-1], file=sys.stderr, flush=True)


def main():
    """Break, run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--javascript", type=Path, help="build/javascript of a run; without, TFJS is left out")
    parser.add_argument("--mutants", type=int, default=150, help="of each kind")
    parser.add_argument("--numbers", type=int, nargs="+", help="only these mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=list(SEEDS), default=list(SEEDS), metavar="KIND")
    parser.add_argument("--work", type=Path, help="folder to keep the mutants of --numbers in")
    args = parser.parse_args()
    names = [name for name in args.kinds if args.javascript or SEEDS[name].kind != "tfjs"]
    numbers = args.numbers or range(1, args.mutants + 1)
    rows, bad = [], []
    with tempfile.TemporaryDirectory() as temporary:
        seeds = Path(temporary) / "seeds"
        for environment in dict.fromkeys(SEEDS[name].environment for name in names):
            fuzzing.make_seeds(seeds, environment)
            with contextlib.ExitStack() as stack:
                warm = {each: stack.enter_context(fuzzing.Warm(each)) for each in ("base", environment)}
                javascript = args.javascript and args.javascript.resolve()
                for name in (name for name in names if SEEDS[name].environment == environment):
                    fuzz = fuzzing.Fuzz(name, seeds, args.seed, Path(temporary) / "work", warm, javascript)
                    tried(fuzz, numbers, rows, bad)
        if args.work:
            for name in names:
                for number in args.numbers or ():
                    folder = args.work / f"{name}.{number}"
                    shutil.rmtree(folder, ignore_errors=True)
                    fuzzing.mutant(name, seeds, args.seed, number, folder)
    print(tables.markdown([HEADINGS, *rows]), *bad, sep="\n")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
