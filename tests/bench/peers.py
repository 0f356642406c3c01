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
from pathlib import Path

from cases import CASES, SCRIPTS, TOOLS
from measure import REPOSITORY, Failed, cost, median, workflow

sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "scripts")]

import environments  # noqa: E402

from zoomill import tables  # noqa: E402

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": ""}
HEADINGS = ("files", "by", "CPU s", "times less CPU", "peak MiB", "wall s")


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


def by_peer(commands, given, tools, folder):
    """Run a peer's commands and return their Cost.

    Raises:
        Failed: when one fails, or leaves out a file.
    """
    found = []
    for command in commands(given):
        path = os.pathsep.join([str(programs(command.tool, tools)), os.environ["PATH"]])
        program = shutil.which(command.arguments[0], path=path)
        variables = [f"{name}={value}" for name, value in {**QUIET, "TF_USE_LEGACY_KERAS": "1", "PATH": path}.items()]
        found.append((["env", *variables, program, *command.arguments[1:]], command.writes))
    whole = cost([command for command, _ in found], folder)
    for name in (name for _, names in found for name in names):
        if not (folder / name).exists():
            raise Failed(f"it wrote no {name}")
    return whole


def prepared(case, folder, mirror):
    """Make what both are given and the environments, unmeasured; return the configuration of the workflow.

    Raises:
        Failed: when there is no such source.
    """
    config = {"models": [case.model]}
    if case.source:
        if mirror is None or not (mirror / case.source).exists():
            raise Failed("the mirror does not hold it")
        shutil.copytree((mirror / case.source).parent, (folder / case.source).parent, copy_function=shutil.copyfile)
        config["cards"] = ["cards"]
        workflow(folder, [], **{**config, "models": ["ssd_mobilenet_v1_shapes"]})
        card = [REPOSITORY / "zoomill", "--configfile", folder / "config.yaml", "new-card", folder / case.source]
        cost([[sys.executable, *card]], folder)
    run = [workflow(folder, case.given, **config)] if case.given else []
    cost([*run, workflow(folder, case.targets(True), ["--conda-create-envs-only"], **config)], folder)
    return config


def by_workflow(case, validated, config, given, folder):
    """Build a case's files in a folder, perhaps with their evidence, and return the Cost."""
    shutil.copytree(given, folder, symlinks=True, dirs_exist_ok=True)
    return cost([workflow(folder, case.targets(validated), **config)], folder)


def measured(case, args, temporary):
    """Return the rows of the table of a case."""
    given = temporary / "given"
    given.mkdir()
    try:
        config = prepared(case, given, args.mirror)
    except Failed as error:
        return [(case.title, str(error), "", "", "", "")]
    runs = {
        name: lambda folder, commands=commands: by_peer(commands, given, args.tools, folder)
        for name, commands in case.peers.items()
    }
    for validated, name in ((False, "zoomill"), (True, "zoomill, validated")):
        runs[name] = lambda folder, validated=validated: by_workflow(case, validated, config, given, folder)
    costs, failed = {name: [] for name in runs}, {}
    for number in range(args.repeats):
        for name, run in runs.items():
            folder = temporary / f"{number} {name}"
            folder.mkdir()
            try:
                if name not in failed:
                    costs[name].append(run(folder))
            except Failed as error:
                failed[name] = str(error)
            shutil.rmtree(folder)
            print(case.title, name, failed.get(name) or costs[name][-1], file=sys.stderr, flush=True)
    return rows(case, {name: median(found) for name, found in costs.items() if name not in failed}, failed)


def rows(case, medians, failed):
    """Return rows of the table: those of the workflow tell how much more each of the peers takes."""
    found = []
    for name in (*case.peers, "zoomill", "zoomill, validated"):
        title = case.title if not found else ""
        if name in failed:
            found.append((title, name, "–", "", failed[name].replace("|", " "), ""))
            continue
        one = medians[name]
        others = [medians[peer].cpu / one.cpu for peer in case.peers if peer in medians]
        ratios = "" if name in case.peers else ", ".join(f"{ratio:.1f}" for ratio in others)
        found.append((title, name, f"{one.cpu:.1f}", ratios, f"{one.peak:.0f}", f"{one.wall:.1f}"))
    return found


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
        columns = zip(*(map(float, one.split("\t")) for one in said), strict=True)
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
