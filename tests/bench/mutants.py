"""Make wrong artifacts of the right ones of a finished run, and print which of them their proof tells from these.

    .venv/bin/python tests/bench/mutants.py --work FOLDER [FOLDER …]

FOLDERs are those that the workflow was run in; nothing in them is changed. Of every artifact whose evidence passed,
each mutant of tests/mutants/ is judged by the validator with the flags that its rule gives it, in the environment of
its format. It prints Markdown: two tables, killed/made, by kind of source and by format and variant; the score; and
every mutant that was not killed. With --judgements FILE what was judged is kept too, and an artifact in it whose digest
is the same is not judged again.
"""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "scripts")]

import environments  # noqa: E402

from zoomill import tables  # noqa: E402
from zoomill.plan import cards, schemas  # noqa: E402

ENVIRONMENTS = {"tflite": "litert", "tfjs": "litert", "openvino": "openvino"}
_LARGEST = 30e6  # bytes


def passed(work, forms, models):
    """Return ``{path: digest}`` of the artifacts of a run that passed, in the order of their names."""
    found = {}
    for form in forms:
        for path in sorted(work.glob(f"results/*/*.{form}.json")):
            document = json.loads(path.read_text())
            wanted = document["model"] in models if models else True
            if wanted and document["passed"] and document["bytes"] <= _LARGEST:
                found[str(path.relative_to(work)).removesuffix(".json")] = document["sha256"]
    return found


def groups(artifacts):
    """Return lists of the artifacts of one format of one model each."""
    found = collections.defaultdict(list)
    for path in artifacts:
        found[path.rsplit(".", 1)[-1], path.split("/")[1]].append(path)
    return found.values()


def judged(work, artifacts):
    """Return what tests/mutants/judge.py says about artifacts of one format."""
    form = artifacts[0].rsplit(".", 1)[-1]
    python = environments.python_of(ENVIRONMENTS[form])
    if python is None:
        sys.exit(f"error: the environment {ENVIRONMENTS[form]} is not built; a run that needs it does")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "judgements.json")
        command = [python, REPOSITORY / "tests/mutants/judge.py", *artifacts, "--work", work, "--output", output]
        subprocess.run(list(map(str, command)), check=True, stdout=sys.stderr)
        return json.loads(output.read_text())


def table(rows, column, heading):
    """Return a Markdown table, killed / made: one line for each mutant, one column for each value of a key."""
    columns = list(dict.fromkeys(sorted(row[column] for row in rows)))
    lines = [(heading, *columns, "all")]
    for name in [*dict.fromkeys(row["mutant"] for row in rows), "all"]:
        of_name = [row for row in rows if name in (row["mutant"], "all")]
        groups = [*([row for row in of_name if row[column] == value] for value in columns), of_name]
        lines.append((name, *map(score, groups)))
    return tables.markdown(lines)


def score(rows):
    """Return how many of some mutants were killed and made, nothing where there are none."""
    killed = sum(row["verdict"] == "failed" for row in rows)
    return f"{killed}/{len(rows)}" if rows else ""


def report(rows):
    """Return Markdown about all judgements."""
    right = [row for row in rows if row["mutant"] == "none"]
    alarms = [row for row in right if row["verdict"] != "passed"]
    made = [row for row in rows if row["mutant"] != "none" and row["verdict"] != "not applicable"]
    wrong = [row for row in made if row["verdict"] != "equivalent"]
    counted = collections.Counter(row["verdict"] for row in made)
    share = counted["failed"] / max(1, len(wrong))
    parts = [
        table(wrong, "kind", "mutant"),
        table(wrong, "variant", "mutant"),
        f"Of {len(made)} mutants of {len(right)} artifacts, {counted['equivalent']} are equivalent and {len(wrong)} "
        f"wrong; {counted['failed']} of these were killed: {share:.1%}. Of the right artifacts, {len(alarms)} were.",
    ]
    for verdict in ("passed", "not tested", "crashed", "equivalent"):
        lines = [
            f"- `{row['artifact'].removeprefix('results/')}`: {row['mutant']}"
            + "".join(f"; {it}" for it in row["phrases"])
            for row in made
            if row["verdict"] == verdict
        ]
        parts += ["\n".join([f"{verdict.capitalize()}:", "", *lines])] if lines else []
    parts += [f"- right, and killed: `{row['artifact']}`: {row['phrases'][0]}" for row in alarms]
    return "\n\n".join(parts)


def main():
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, nargs="+", required=True)
    parser.add_argument("--formats", nargs="+", choices=sorted(ENVIRONMENTS), default=list(ENVIRONMENTS))
    parser.add_argument("--models", nargs="+", help="only these; without, all that the folder holds")
    parser.add_argument("--judgements", type=Path, help="JSON file to keep what was judged in")
    args = parser.parse_args()
    catalogue = cards.load_catalogue(REPOSITORY / "models", schemas.load(REPOSITORY / "rules/schemas")["card"])
    found = {work.resolve(): passed(work.resolve(), args.formats, args.models) for work in args.work}
    artifacts = {path: digest for of_work in found.values() for path, digest in of_work.items()}
    kept = json.loads(args.judgements.read_text()) if args.judgements and args.judgements.exists() else []
    rows = [row for row in kept if artifacts.get(row["artifact"]) == row["sha256"]]
    done = {row["artifact"] for row in rows}
    for work, of_work in found.items():
        for group in groups(path for path in of_work if path not in done):
            rows += [{**row, "sha256": artifacts[row["artifact"]]} for row in judged(work, group)]
            if args.judgements:
                args.judgements.write_text(json.dumps(rows, indent=1))
    for row in rows:
        _, model, name = row["artifact"].split("/")
        row["kind"] = catalogue[model]["source"]["kind"]
        row["variant"] = " ".join(reversed(name.split(".")[1:]))
    print(report(rows))


if __name__ == "__main__":
    main()
