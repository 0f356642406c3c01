"""Build the float32 artifact of every model of the catalogue that a mirror holds, and print how near each comes.

    .venv/bin/python tests/bench/real_models.py --mirror FOLDER --work FOLDER [--format tfjs]

prints a Markdown table: model, kind of source, of the output (or its logits) that is nearest to its limit the spread as
a share of its largest golden value and the ratio of spread to error in dB, the same ratio of the source's own rounding
where it computes with integers, and the seconds of export and conversion; of TensorFlow.js models, which are those of
TensorFlow's and Darknet's formats, the ratios in Chromium on wasm and on webgl. Models that the mirror does not
hold, or that cannot be built, stand below it with the reason. What is already built in the work folder is not built
again.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts"))

from zoomill import tables  # noqa: E402
from zoomill.plan import cards, schemas  # noqa: E402

TFJS_SOURCES = {"keras", "saved_model", "frozen_graph", "tf1_checkpoint", "tf1_detection", "darknet"}
HEADINGS = {
    "tflite": ("model", "source", "spread", "SQNR", "own rounding", "seconds", "verdict"),
    "tfjs": ("model", "source", "wasm", "webgl", "bytes", "seconds", "verdict"),
}


def evidence(model, card, form):
    """Return the evidence file of a model's float32 artifact without post-processing."""
    if form == "tfjs":
        return f"results/{model}/browser.json"
    graph = "detect_cut" if "detect_cut" in card["graphs"] else "main"
    return f"results/{model}/{graph}.float32.tflite.json"


def figures(document, form):
    """Return the cells of a table that the evidence fills."""
    if form == "tflite":
        found = worst(document["parity"])
        rounding = worst(document.get("rounding", {}))
        return f"{found['spread'] / found['peak']:.1%}", decibels(found), decibels(rounding) if rounding else ""
    name = "{}.float32.tfjs".format
    artifact = next(item for item in document["artifacts"] if item["artifact"] in (name("main"), name("detect_cut")))
    ratios = (decibels(worst(artifact["backends"][backend]["parity"])) for backend in ("wasm", "webgl"))
    return *ratios, f"{artifact['bytes']:,}"


def worst(parity):
    """Return the figures of the output, or of its logits, that has the lowest ratio, None without any that moves."""
    found = [one for output in parity.values() for one in (output, output.get("logits")) if one and one["spread"]]
    return min(found, key=lambda one: one["sqnr"], default=None)


def decibels(found):
    """Return a ratio as a cell; 200 dB stand for an exact output."""
    return "exact" if found["sqnr"] == 200 else f"{found['sqnr']:.0f} dB"


def seconds(work, model, form):
    """Return the wall seconds of a model's export and conversion."""
    total = 0.0
    for pattern in (f"export_*/{model}.tsv", f"convert_{form}/{model}.*.tsv"):
        for path in work.glob(f"benchmarks/{pattern}"):
            with open(path, newline="") as file:
                total += sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
    return total


def reason(work, model):
    """Return the last error line in a model's logs."""
    lines = [
        line.removeprefix(f"error: {model}: ").removeprefix("error: ")
        for path in work.glob(f"logs/*/{model}*.log")
        for line in path.read_text(errors="replace").splitlines()
        if line.startswith("error: ")
    ]
    return lines[-1] if lines else "not built"


def main():
    """Build and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--format", choices=sorted(HEADINGS), default="tflite")
    parser.add_argument("--models", nargs="+", help="only these; without, all that the mirror holds")
    args = parser.parse_args()
    schema = schemas.load(REPOSITORY / "rules/schemas")["card"]
    catalogue = cards.load_catalogue(REPOSITORY / "models", schema)
    held = (args.mirror / "SHA256SUMS").read_text()
    here = {
        model: card
        for model, card in catalogue.items()
        if model in (args.models or catalogue)
        and (args.format == "tflite" or card["source"]["kind"] in TFJS_SOURCES)
        and all(file.get("sha256", "no digest") in held for file in card["source"]["files"])
    }
    args.work.mkdir(parents=True, exist_ok=True)
    snakemake = [
        Path(sys.executable).with_name("snakemake"),
        *(evidence(*item, args.format) for item in here.items()),
        "-j2",
    ]
    snakemake += ["--snakefile", REPOSITORY / "Snakefile", "--directory", args.work]
    snakemake += ["--configfile", REPOSITORY / "config.yaml", "--workflow-profile", REPOSITORY / "profiles/default"]
    snakemake += ["--config", f'mirrors=["{args.mirror.resolve()}"]', "tfjs=[float32]", "tflite=[]"]
    subprocess.run(snakemake, cwd=args.work, stdout=sys.stderr, check=False)
    rows, failed = [HEADINGS[args.format]], []
    for model, card in here.items():
        path = args.work / evidence(model, card, args.format)
        if not path.exists():
            failed.append(f"- `{model}`: {reason(args.work, model)}")
            continue
        document = json.loads(path.read_text())
        cells = *figures(document, args.format), f"{seconds(args.work, model, args.format):.0f}"
        rows.append((model, card["source"]["kind"], *cells, document["verdict"]))
    print(tables.markdown(rows))
    print("\n".join(failed))


if __name__ == "__main__":
    main()
