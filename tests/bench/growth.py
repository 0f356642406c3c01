"""Measure how the workflow's cost grows with models and with variants, everything validated, and draw it.

    .venv/bin/python tests/bench/growth.py --picture docs/growth.svg

prints a Markdown table. The models are copies of one of starter/ under other names, four variants of each; the variants
are those of one model, TFLite and then TensorFlow.js. It needs the environment evaluate, which has Matplotlib.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import REPOSITORY, cost, workflow

sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "scripts")]

import environments  # noqa: E402

from zoomill import tables  # noqa: E402

MODEL = "digits_resnet8"
NAMES = [f"main.{variant}.tflite" for variant in ("float32", "float16", "dynamic", "int8")]
MORE = [f"main.{variant}.tflite" for variant in ("int8_io", "uint8_io", "int16x8", "tf_int8")]
MORE += [f"main.{variant}.tfjs" for variant in ("float32", "float16", "uint16", "uint8")]
GIVEN = ("sources/digits", "build/javascript/@tensorflow/tfjs/dist/tf.min.js")
DRAW = """
import json, sys
import matplotlib
matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 9})
from matplotlib import pyplot
points, path = json.loads(sys.argv[1]), sys.argv[2]
figure, axes = pyplot.subplots(1, 2, figsize=(8, 2.6), layout="constrained")
figure.get_layout_engine().set(wspace=0.08)
for axis, (kind, found) in zip(axes, points.items()):
    numbers, cpu, peak = zip(*found)
    axis.plot(numbers, cpu, "o-", color="C0")
    axis.set(xlabel=kind, ylabel="CPU s per artifact", xscale="log" if kind == "models" else "linear")
    axis.set_ylim(0, 1.1 * max(cpu))
    axis.set_xticks(numbers, map(str, numbers), minor=False)
    axis.minorticks_off()
    other = axis.twinx()
    other.plot(numbers, peak, "s--", color="C1")
    other.set(ylabel="peak MiB (dashed)", ylim=(0, 1.1 * max(peak)))
figure.savefig(path, metadata={"Date": None})
"""


def prepared(folder, copies):
    """Make cards of copies and what every run is given; return the configuration."""
    cards = folder / "cards"
    cards.mkdir()
    text = (REPOSITORY / f"models/{MODEL}.yaml").read_text().replace("[starter/", f"[{REPOSITORY}/starter/")
    text = re.sub("^c_name: .*\n", "", text, flags=re.MULTILINE)  # only one model may have it
    names = [f"copy_{number:02}" for number in range(copies)]
    for name in names:
        (cards / f"{name}.yaml").write_text(text)
    config = {"models": names, "cards": ["cards"]}
    targets = [f"results/{names[0]}/{name}.json" for name in (*NAMES, *MORE)]
    create = workflow(folder, targets, ["--conda-create-envs-only"], **config)
    cost([create, workflow(folder, GIVEN, **config)], folder)
    return config


def point(given, models, names, config):
    """Return number of artifacts, CPU seconds and peak MiB of a run over some models."""
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copytree(given, temporary, symlinks=True, dirs_exist_ok=True)
        targets = [f"results/{model}/{name}.json" for model in models for name in names]
        found = cost([workflow(Path(temporary), targets, **{**config, "models": models})], temporary)
    print(len(models), "models", len(names), "variants", found, file=sys.stderr, flush=True)
    return len(targets), found.cpu, found.peak


def main():
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--variants", type=int, nargs="+", default=[1, 2, 4, 8, 12])
    parser.add_argument("--picture", type=Path, help="SVG to write")
    args = parser.parse_args()
    rows = [("models", "variants", "artifacts", "CPU s", "CPU s per artifact", "peak MiB")]
    points = {"models": [], "variants": []}
    with tempfile.TemporaryDirectory() as temporary:
        given = Path(temporary)
        config = prepared(given, max(args.models))
        runs = [("models", count, config["models"][:count], NAMES) for count in args.models]
        runs += [("variants", count, config["models"][:1], [*NAMES, *MORE][:count]) for count in args.variants]
        for kind, count, models, names in runs:
            artifacts, cpu, peak = point(given, models, names, config)
            points[kind].append((count, cpu / artifacts, peak))
            counts = (len(models), len(names), artifacts)
            rows.append((*map(str, counts), f"{cpu:.0f}", f"{cpu / artifacts:.2f}", f"{peak:.0f}"))
    print(tables.markdown(rows))
    if args.picture:
        draw = [environments.python_of("evaluate"), "-c", DRAW, json.dumps(points), args.picture]
        subprocess.run(draw, check=True)


if __name__ == "__main__":
    main()
