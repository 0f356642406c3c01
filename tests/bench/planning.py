"""Measure what it takes to plan a run: CPU seconds by jobs and cards, and as a ratio to importing Snakemake.

Run from the repository, in the environment of the host: python tests/bench/planning.py [--repository FOLDER]
"""

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "Snakefile",
    "artifacts.lock",
    "config.yaml",
    "datasets",
    "envs",
    "profiles",
    "rules",
    "scripts",
    "starter",
    "web",
)
STARTER = "digits_onnx"
IMPORT = [sys.executable, "-c", "import snakemake.cli"]
SNAKEMAKE = [str(Path(sys.executable).with_name("snakemake")), "-n"]


def main(argv=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repository", type=Path, default=ROOT, help="whose rules are measured; this one without")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is taken")
    parser.add_argument(
        "--copies", type=int, nargs="*", default=[29, 143], help="how many copies of a model are wanted"
    )
    parser.add_argument("--cards", type=int, default=2000, help="in the larger catalogue")
    args = parser.parse_args(argv)
    print("| run | jobs | cards | CPU s | ÷ importing Snakemake |\n| --- | ---: | ---: | ---: | ---: |", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for name, copies, cards in [
            ("default", 0, 0),
            ("default", 0, args.cards),
            *((f"{number} copies of {STARTER}", number, 0) for number in args.copies),
        ]:
            folder = Path(tempfile.mkdtemp(dir=temporary))
            models = make(args.repository.resolve(), folder, copies, cards)
            config = [f"--config=models={models}"] if copies else []
            jobs, outputs = planned(folder, config)
            count = len(list((folder / "models").iterdir()))
            row(f"{name}, planned", jobs, count, folder, config, args.rounds)
            if copies == min(args.copies, default=None):
                finish(folder, config, outputs)
                row(f"{name}, nothing to do", jobs, count, folder, config, args.rounds)


def make(repository, folder, copies, cards):
    """Make of an empty folder the repository with copies of a model's card, and return their names.

    Args:
        repository: its path.
        folder: the empty one.
        copies: how many there are at least.
        cards: how many cards there are at least in all.
    """
    (folder / "models").mkdir()
    for name in PARTS:
        (folder / name).symlink_to(repository / name)
    texts = {path.stem: path.read_text() for path in (repository / "models").glob("*.yaml")}
    text = re.sub("(?m)^c_name:.*\n", "", texts[STARTER])
    names = [f"copy_{number}" for number in range(max(copies, cards - len(texts)))]
    for name, content in {**texts, **dict.fromkeys(names, text)}.items():
        (folder / f"models/{name}.yaml").write_text(content)
    return names


def planned(folder, config):
    """Return the number of jobs of a dry run and all that they would make."""
    process = subprocess.run([*SNAKEMAKE, *config], cwd=folder, text=True, capture_output=True, check=True)
    told = process.stdout + process.stderr
    outputs = ", ".join(re.findall("^ +output: (.*)$", told, re.MULTILINE))
    return int(re.search(r"^total +(\d+)", told, re.MULTILINE)[1]), outputs.split(", ")


def finish(folder, config, outputs):
    """Make all outputs, without content but for passed evidence, and have Snakemake record them as made."""
    for place in sorted((folder / path for path in outputs), reverse=True):  # what is in a folder before the folder
        is_folder = place.suffix in ("", ".tfjs") and not place.name.isupper()
        (place if is_folder else place.parent).mkdir(parents=True, exist_ok=True)
        if not is_folder:
            place.write_text(json.dumps({"passed": True}) if place.suffix == ".json" else "")
    subprocess.run([SNAKEMAKE[0], "-j1", "--touch", *config], cwd=folder, capture_output=True)
    process = subprocess.run([*SNAKEMAKE, *config], cwd=folder, text=True, capture_output=True, check=True)
    if "Nothing to be done" not in process.stdout + process.stderr:
        sys.exit("error: what was made is not up to date")


def row(name, jobs, cards, folder, config, rounds):
    """Measure a dry run, alternating with the import, and print it as a row."""
    pairs = [(seconds([*SNAKEMAKE, *config], folder), seconds(IMPORT, folder)) for _ in range(rounds)]
    taken, imported = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"| {name} | {jobs} | {cards} | {taken:.2f} | {taken / imported:.1f} |", flush=True)


def seconds(command, folder):
    """Return the CPU seconds of a command and all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
