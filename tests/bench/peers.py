"""Measure the workflow beside what people would use instead, for the same files of the same sources.

    .venv/bin/python tests/bench/peers.py --tools FOLDER --mirror FOLDER

prints Markdown tables: medians of `--repeats` alternating runs, each in a folder of its own. Packages of other tools
are installed into `--tools` once; without a mirror there are no rows of ONNX. It needs the workflow's environments tf1,
tf2, torch and litert: those of a finished run with `--config toco=tf1` and the models of starter/.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import yaml
from cases import CASES, SCRIPTS, TOOLS
from measure import REPOSITORY, Failed, cost, median, workflow

sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "scripts")]

import environments  # noqa: E402

from zoomill import tables  # noqa: E402

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": ""}
PLAIN, VALIDATED = "zoomill", "zoomill, validated"
HEADINGS = ("files", "by", "runs", "CPU s", "times less CPU", "peak MiB", "wall s")


def programs(tool, tools):
    """Return the folder of the programs of a tool, which is installed if need be.

    Raises:
        Failed: when it is not there, or cannot be installed.
    """
    if tool not in TOOLS:
        if python := environments.python_of(tool):
            return python.parent
        raise Failed(f"the environment {tool} is not built")
    if tools is None:
        raise Failed("--tools names no folder")
    version, packages = TOOLS[tool]
    folder = tools.resolve() / tool.replace(" ", "-")
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        uv = Path(sys.executable).with_name("uv")
        paths = [os.environ["PATH"], *map(str, Path.home().glob(".pyenv/versions/*/bin"))]
        create = [uv, "venv", "--quiet", "--clear", "--no-managed-python", "--python", version, folder]
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", folder / "bin/python", *packages]
        cost([create, install], tools, {"PATH": os.pathsep.join(paths)})
        done.touch()
    return folder / "bin"


def by_peer(name, commands, given, tools, folder):
    """Run a peer's commands; return ``{row: Cost}``, of which one compares, too, if any of the commands does.

    Raises:
        Failed: when one fails, or leaves out a file.
    """
    lines = {False: [], True: []}
    commands = list(commands(given))
    for command in commands:
        path = os.pathsep.join([str(programs(command.tool, tools)), os.environ["PATH"]])
        program = shutil.which(command.arguments[0], path=path)
        variables = [f"{name}={value}" for name, value in {**QUIET, "TF_USE_LEGACY_KERAS": "1", "PATH": path}.items()]
        lines[command.compares].append(["env", *variables, program, *command.arguments[1:]])
    found = {name: cost(lines[False], folder)}
    for file in (file for command in commands for file in command.writes):
        if not (folder / file).exists():
            raise Failed(f"it wrote no {file}")
    if lines[True]:
        found[f"{name}, compared"] = found[name] + cost(lines[True], folder)
    return found


def prepared(case, folder, mirror):
    """Make what both are given and the environments, unmeasured; return the configuration of the workflow.

    Raises:
        Failed: when there is no such source.
    """
    config = {"models": [case.model], "limits": case.limits}
    if case.source:
        if mirror is None or not (mirror / case.source).exists():
            raise Failed("the mirror does not hold it")
        shutil.copytree((mirror / case.source).parent, (folder / case.source).parent, copy_function=shutil.copyfile)
        (folder / "cards").mkdir()
        config["cards"] = ["cards"]
        workflow(folder, [], **{**config, "models": ["ssd_mobilenet_v1_shapes"]})
        card = [REPOSITORY / "zoomill", "--configfile", folder / "config.yaml", "new-card", folder / case.source]
        cost([[sys.executable, *card]], folder)
        answer(folder / f"cards/{case.model}.yaml", list(case.value_range))
    run = [workflow(folder, case.given, **config)] if case.given else []
    cost([*run, workflow(folder, case.targets(True), ["--conda-create-envs-only"], **config)], folder)
    return config


def answer(path, value_range):
    """Write into a card what 0 and 255 of its input become."""
    card = yaml.safe_load(path.read_text())
    card["inputs"][0]["value_range"] = value_range
    path.write_text(yaml.safe_dump(card))


def by_workflow(name, case, config, given, folder):
    """Build a case's files in a folder, perhaps with their evidence, and return ``{row: Cost}``."""
    shutil.copytree(given, folder, symlinks=True, dirs_exist_ok=True)
    return {name: cost([workflow(folder, case.targets(name == VALIDATED), **config)], folder)}


def measured(case, args, temporary):
    """Return the rows of the table of a case."""
    given = temporary / "given"
    given.mkdir()
    try:
        config = prepared(case, given, args.mirror)
    except Failed as error:
        return [(case.title, str(error), "0", "", "", "", "")]
    runs = {name: partial(by_peer, name, peer, given, args.tools) for name, peer in case.peers.items()}
    runs |= {name: partial(by_workflow, name, case, config, given) for name in (PLAIN, VALIDATED)}
    costs, failed = {}, {}
    for number in range(args.repeats):
        for name, run in runs.items():
            folder = temporary / f"{number} {name}"
            folder.mkdir()
            try:
                for row, one in run(folder).items() if name not in failed else ():
                    costs.setdefault(row, []).append(one)
                    print(case.title, row, one, file=sys.stderr, flush=True)
            except Failed as error:
                failed[name] = str(error)
                print(case.title, name, error, file=sys.stderr, flush=True)
            shutil.rmtree(folder)
    return rows(case.title, {row: found for row, found in costs.items() if row not in failed}, failed)


def rows(title, costs, failed):
    """Return rows of the table: those of the workflow tell how much more each of the others takes."""
    ours, medians = {PLAIN, VALIDATED}, {name: median(found) for name, found in costs.items()}
    found = [(f"{name}: {why}".replace("|", " "), "0", "", "", "", "") for name, why in failed.items()]
    for name, one in sorted(medians.items(), key=lambda item: item[0] in ours):
        ratios = [other.cpu / one.cpu for peer, other in medians.items() if peer not in ours and name in ours]
        shown = ", ".join(f"{ratio:.1f}" for ratio in ratios)
        found.append((name, str(len(costs[name])), f"{one.cpu:.1f}", shown, f"{one.peak:.0f}", f"{one.wall:.1f}"))
    return [(title if not number else "", *row) for number, row in enumerate(found)]


def limits(args, temporary):
    """Return the table of what no workflow can go below."""
    graph, tflite = "build/ssd_mobilenet_v1_shapes/detect_cut/graph.pb", "results/digits_resnet8/main.float32.tflite"
    config = {"models": ["ssd_mobilenet_v1_shapes", "digits_resnet8"]}
    cost([workflow(temporary, [graph, tflite], **config)], temporary)
    found = [("work", "import CPU s", "first CPU s", "again CPU s")]
    for work, tool, source, title in (
        ("convert", "tf2", graph, "convert the SSD by TensorFlow"),
        ("quantise", "litert", tflite, "quantise a file by ai-edge-quantizer"),
    ):
        command = [programs(tool, None) / "python", SCRIPTS / "limits.py", work, temporary / source, temporary / "made"]
        said = [
            subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **QUIET}).stdout
            for _ in range(args.repeats)
        ]
        columns = zip(*(map(float, one.splitlines()[-1].split("\t")) for one in said), strict=True)
        found.append((title, *(f"{sorted(column)[len(column) // 2]:.2f}" for column in columns)))
    return tables.markdown(found)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, help="folder of packages of other tools")
    parser.add_argument("--mirror", type=Path, help="folder of real models")
    parser.add_argument("--only", nargs="+", choices=[*CASES, "limits"], default=[*CASES, "limits"], metavar="CASE")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    found = [HEADINGS]
    for name in args.only:
        if name != "limits":
            with tempfile.TemporaryDirectory() as temporary:
                found += measured(CASES[name], args, Path(temporary))
    print(tables.markdown(found))
    if "limits" in args.only:
        with tempfile.TemporaryDirectory() as temporary:
            print(limits(args, Path(temporary)))


if __name__ == "__main__":
    main()
