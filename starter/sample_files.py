"""Writing the samples of a data set: .npy files, and the index that datasets/ keeps a copy of."""

import argparse
import csv
import hashlib
import io
from pathlib import Path

import numpy as np


def main(samples):
    """Write the samples and ``index.csv`` into the folder that ``--output`` names.

    Args:
        samples: function without arguments that yields (name, array, label); an array without a label is another
            sample's target and no row of the index.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, required=True, help="folder to write into")
    folder = parser.parse_args().output
    with open(str(folder / "index.csv"), "w", encoding="utf-8", newline="") as file:
        index = csv.writer(file, lineterminator="\n")
        index.writerow(("name", "bytes", "sha256", "label"))
        for name, array, label in samples():
            stored = io.BytesIO()
            np.save(stored, array)
            data = stored.getvalue()
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            if label is not None:
                index.writerow((name, len(data), hashlib.sha256(data).hexdigest(), label))
