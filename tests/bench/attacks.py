"""Make every hostile file of tests/attacks/ and print what comes of it, as the table of docs/security.md.

    .venv/bin/python tests/bench/attacks.py --javascript FOLDER [--work FOLDER] [--kinds KIND …] [--only WORDS]
        [--warm]

Each attack goes through `inspect`, through the exporter of its kind of source, and through the exporter with its checks
switched off, so that only the sandbox holds it. FOLDER is build/javascript of any run. The exit status is 1 if anything
escaped, crashed, hung or gave a traceback; what was printed stands in the work folder.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "scripts")]

from attacks import exporters, judge, make  # noqa: E402

from zoomill import tables  # noqa: E402

HEADINGS = ("source", "attack", "inspect", "exporter", "exporter without checks")
OTHERS = {"card": judge.card, "archive": judge.archive, "server": judge.server}


def verdicts(folder, attack, javascript, limit, warm):
    """Return the verdicts of an attack, "" where there is none, and say them on stderr with why.

    Args:
        folder, attack, javascript, limit, warm: as of :func:`attacks.judge.export`; ``warm`` are its other arguments.
    """
    if attack.kind in OTHERS:
        runs = [None, OTHERS[attack.kind](folder, attack, limit), None]
    else:
        runs = [
            judge.inspect(folder, attack, limit),
            *(judge.export(folder, attack, javascript, checked, limit, **warm) for checked in (True, False)),
        ]
    for run in filter(None, runs):
        found, outcome = run
        last = (outcome.log.strip().splitlines() or [""])[-1]
        print(
            f"{attack.kind}: {attack.name}: {found} ({outcome.seconds:.0f} s) {last[:200]}", file=sys.stderr, flush=True
        )
    return [run[0] if run else "" for run in runs]


def through_warm_processes(folder):
    """Return the arguments of :func:`attacks.judge.export` that have exporters run as jobs do, in as few processes."""
    shared = {"TMPDIR": folder, "PYTHONPATH": exporters.PYTHONPATH, "ZOOMILL_WARM": f"{os.getpid()}:{folder}/warm"}
    return {"through": ["-I", "-S", REPOSITORY / "envs/warm/client.py"], **shared}


def main():
    """Make, run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--javascript", type=Path, help="build/javascript of a run; without, tfjs is left out")
    parser.add_argument("--work", type=Path, help="folder to make and keep; without, a temporary one")
    parser.add_argument("--kinds", nargs="+", help="kinds of source, card, archive, server")
    parser.add_argument("--only", default="", help="words that are in the attacks' names")
    parser.add_argument("--limit", type=float, default=judge.LIMIT, help="seconds for each run")
    parser.add_argument("--warm", action="store_true", help="exporters run as forks of warm processes, as jobs do")
    args = parser.parse_args()
    chosen = [
        one
        for one in make.all_attacks()
        if args.only in one.name
        and (one.kind in args.kinds if args.kinds else True)
        and (one.kind != "tfjs" or args.javascript)
    ]
    with tempfile.TemporaryDirectory() as temporary:
        folder = (args.work or Path(temporary)).resolve()
        for environment in dict.fromkeys(one.environment for one in chosen):
            names = [one.name for one in chosen if one.environment == environment]
            judge.make(folder, environment, names)
        javascript = args.javascript and args.javascript.resolve()
        warm = through_warm_processes(folder) if args.warm else {}
        rows = [(one.kind, one.name, *verdicts(folder, one, javascript, args.limit, warm)) for one in chosen]
        if cold := (folder / "warm/log").exists() and (folder / "warm/log").read_text():
            sys.exit(f"error: not all exporters ran warm: {cold}")
    print(tables.markdown([HEADINGS, *rows]), end="")
    sys.exit(any(verdict not in (*judge.GOOD, "") for row in rows for verdict in row[2:]))


if __name__ == "__main__":
    main()
