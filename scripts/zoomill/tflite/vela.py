"""Arm's compiler Vela: what becomes of a .tflite file on an Ethos-U, by its estimate, without one.

https://pypi.org/project/ethos-u-vela
"""

import collections
import csv
import glob
import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile

from zoomill.tflite import metadata, tflite_file

# The operator that stands for all that the accelerator does.
OPERATOR = "ethos-u"
# The system configurations that Vela brings.
_SYSTEMS = "Arm/vela.ini"
_REASON = re.compile(r"^Warning \(supported operators\) operator: \w+, ofm: '(.*)'\nReason: (.*)$", re.MULTILINE)
_ERROR = re.compile(r"Error: (.*)")
# The name of a tensor, in brackets, tells operators apart that have one reason.
_TENSOR = re.compile(r" \([^()]*\)$")


def version():
    """Return Vela's version."""
    return importlib.metadata.version("ethos-u-vela")


def why_not(path):
    """Return why an Ethos-U cannot compute a file, None where it can in part at least."""
    model = tflite_file.read(path)
    made = {int(index) for operator in model.subgraphs[0].operators for index in operator.outputs}
    if any(tflite_file.is_quantised(model.subgraphs[0].tensors[index]) for index in made):
        return None
    return "its activations are floats, which an Ethos-U leaves to the CPU; take int8"


def compile_file(path, accelerator):
    """Compile a file.

    Args:
        path: of the .tflite file, the metadata of which are left out.
        accelerator: ``name``, ``system`` and ``memory`` of a row of :data:`zoomill.plan.accelerators.TABLE`.

    Returns:
        The bytes of the compiled file, which are always the same, and ``{figure: value}``: ``cycles`` and
        ``milliseconds`` for one input at ``clock_mhz``, of the accelerator alone; ``kib`` of each memory in use;
        ``operators`` of the file on ``npu`` and ``cpu``; ``on_cpu``, what Vela says of each kind of the latter.

    Raises:
        ValueError: when Vela refuses the file; the text is its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain = os.path.join(folder, "model.tflite")
        with open(path, "rb") as source, open(plain, "wb") as target:
            target.write(metadata.stripped(source.read(), path))
        text = _run(plain, accelerator, folder)
        with open(os.path.join(folder, "model_vela.tflite"), "rb") as file:
            data = file.read()
        (table,) = glob.glob(os.path.join(folder, "model_summary_*.csv"))
        with open(table, encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
    whole, left = sum(tflite_file.operators(tflite_file.read(path)).values()), _left(data, path, text)
    on_cpu = sum(entry["count"] for entry in left)
    return data, {**_estimate(row), "operators": {"npu": whole - on_cpu, "cpu": on_cpu}, "on_cpu": left}


def _left(data, path, text):
    """Return which operators of a compiled file are left to the CPU, how many, and the reasons in what Vela printed."""
    model, reasons = tflite_file.parse(data, path), dict(_REASON.findall(text))
    found = collections.Counter()
    for graph in model.subgraphs:
        for operator in graph.operators:
            name = tflite_file.operator_name(model, operator)
            if name != OPERATOR:  # of which some have no output
                tensor = graph.tensors[operator.outputs[0]].name.decode(errors="replace")
                found[name, _TENSOR.sub("", reasons.get(tensor, ""))] += 1
    return [{"operator": name, "reason": reason, "count": count} for (name, reason), count in sorted(found.items())]


def _run(path, accelerator, folder):
    """Return what Vela prints."""
    options = ["--accelerator-config", accelerator["name"], "--system-config", accelerator["system"]]
    options += ["--memory-mode", accelerator["memory"], "--config", _SYSTEMS, "--output-dir", folder]
    command = [sys.executable, "-m", "ethosu.vela", path, *options]
    process = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if process.returncode:
        lines = [line for line in process.stdout.splitlines() if line.strip()] or [f"status {process.returncode}"]
        raise ValueError(next((found[1] for found in map(_ERROR.search, lines) if found), lines[-1]))
    return process.stdout


def _estimate(row):
    """Return the figures of Vela's table of one line."""
    memories = ("sram", "dram", "on_chip_flash", "off_chip_flash")
    used = {memory: round(float(row[f"{memory}_memory_used"]), 2) for memory in memories}
    return {
        "cycles": int(float(row["cycles_total"])),
        "clock_mhz": round(float(row["core_clock"]) / 1e6),
        "milliseconds": round(1e3 * float(row["inference_time"]), 4),
        "kib": {memory: size for memory, size in used.items() if size},
    }
