"""What it would save to score several samples at once: of the .tflite files of a run that stands.

Run from the repository, in the environment of the host: python tests/bench/batches.py RUN

Inputs are drawn; each file is run as the evaluation runs it, one input after another and in batches.
"""

import argparse
import os
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / folder) for folder in ("tests", "scripts")]

import environments  # noqa: E402

from zoomill import files, tables  # noqa: E402

BATCH, INPUTS = 32, 128
COLUMNS = ("model", "files", "take a batch", "same bits", "CPU s, one by one", "CPU s saved by those")


def measure(data):
    """Return CPU seconds of an input alone and in a batch, if the file takes one, and whether all bits are equal."""
    import numpy as np

    from zoomill.tflite.runtime import KERNELS, Interpreter

    def run(batch):
        interpreter = Interpreter(
            model_content=data,
            experimental_op_resolver_type=KERNELS["builtin"],
            experimental_preserve_all_tensors=True,
            num_threads=1,
        )
        (entry,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
        drawn = np.random.default_rng(0).random((INPUTS, *entry["shape"][1:]))
        feed = (drawn * (1 if entry["dtype"] == np.float32 else 100)).astype(entry["dtype"])
        interpreter.resize_tensor_input(entry["index"], [batch, *entry["shape"][1:]])
        interpreter.allocate_tensors()
        begun, found = time.process_time(), []
        for start in range(0, INPUTS, batch):
            interpreter.set_tensor(entry["index"], feed[start : start + batch])
            interpreter.invoke()
            found.append([interpreter.get_tensor(output["index"]) for output in outputs])
        seconds = (time.process_time() - begun) / INPUTS
        return seconds, [np.concatenate(parts) for parts in zip(*found, strict=True)]

    alone, expected = run(1)
    try:
        together, found = run(BATCH)
    except RuntimeError:  # a RESHAPE, say, that has the batch of one in its constant
        return alone, None, False
    return alone, together, all(map(np.array_equal, expected, found))


def row(model):
    """Return the cells of a model's folder, None for one without scored files of one input."""
    scored = [path for path in sorted(model.glob("*.tflite")) if path.with_suffix(".metric.json").exists()]
    if not scored:
        return None
    samples = files.read_json(scored[0].with_suffix(".metric.json"))["samples"]
    found = [measure(path.read_bytes()) for path in scored]
    saved = sum(alone - together for alone, together, same in found if same) * samples
    counts = len(found), sum(together is not None for _, together, _ in found), sum(same for *_, same in found)
    used = sum(alone for alone, *_ in found) * samples
    return (model.name, *map(str, counts), f"{used:.2f}", f"{round(saved, 2) + 0:.2f}")


def main(argv=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder with results/")
    args = parser.parse_args(argv)
    python = environments.python_of("litert")
    if Path(sys.prefix) != python.parents[1]:
        os.execv(python, [python, *sys.argv])
    rows = map(row, sorted(path for path in (args.run / "results").iterdir() if path.is_dir()))
    print(tables.markdown([COLUMNS, *filter(None, rows)]))


if __name__ == "__main__":
    main()
