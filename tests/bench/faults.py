"""Faults at every stage of a run: a full disk, too little memory, and seeded kills; what is said, and what comes after.

.venv/bin/python tests/bench/faults.py --kills 20 --seed 1 --work FOLDER
"""

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "scripts")]

from conftest import Workflow  # noqa: E402
from faults import stages  # noqa: E402

from zoomill import folders, tables  # noqa: E402


def main(argv=None):
    """Print the table; exit with 1 if a fault was told in anything but one line, or changed a byte."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, required=True, help="empty folder")
    args = parser.parse_args(argv)
    finished = Workflow(args.work / "finished")
    finished.run(*stages.STAGES.values(), config=stages.CONFIG)
    rows = [*disks(finished, args.work / "disks"), *memory(finished), *kills(finished, args.kills, args.seed)]
    print(tables.markdown([("fault", "stage", "said", "made again"), *rows]), end="")
    wrong = [row for row in rows if row[3] != "the same bytes" or row[2].startswith("WRONG")]
    sys.exit(f"{len(wrong)} of {len(rows)} went wrong" if wrong else 0)


def disks(finished, folder):
    """Yield a row for each stage on a full disk."""
    run = Workflow(folder)
    with stages.small_disks(finished, run) as on_full_disk:
        before = digests(finished)
        for name, target in stages.STAGES.items():
            yield ("full disk", name, said(on_full_disk(target)), completed(run, target, before))


def memory(finished):
    """Yield a row for each stage with 100 MB; those that need less succeed."""
    before = digests(finished)
    for name, target in stages.STAGES.items():
        process = stages.again(finished, target, "memory_limit=100")
        words = "needs less" if process.returncode == 0 else said(process)
        yield ("100 MB", name, words, completed(finished, target, before))


def kills(finished, count, seed):
    """Yield a row for each kill; stages and moments are drawn."""
    before = digests(finished)
    targets = list(stages.STAGES.items())
    for number in range(seed, seed + count):
        name, target = targets[number % len(targets)]
        victim, process = stages.kill_one(finished, target, number)
        words = (
            "done before" if process.returncode == 0 else said(process) if victim != "everything" else "(all killed)"
        )
        yield (f"kill {victim}", name, words, completed(finished, target, before))


def digests(run):
    return {target: folders.digest(run.file(target)) for target in stages.STAGES.values()}


def said(process):
    """Return the one line that a run ended with, or what is wrong with its end."""
    wrong = stages.problems(process)
    return f"WRONG: {wrong}" if wrong else stages.errors(process)[0]


def completed(run, target, before):
    """Return what comes of the same command without the fault."""
    process = run.run(target, config=stages.CONFIG, check=False)
    if process.returncode:
        return f"fails: {stages.errors(process)}"
    return "the same bytes" if folders.digest(run.file(target)) == before[target] else "OTHER BYTES"


if __name__ == "__main__":
    main()
