"""Run the real Darknet on one input, in a process of its own: its library turns on flush-to-zero when it is loaded.

Usage: python darknet_reference.py CONFIG WEIGHTS INPUT.npy OUTPUT.npy

INPUT.npy is float32 ``[channels, height, width]``. OUTPUT.npy is what ``Network.run`` of starter/yolo_shapes/darknet.py
returns: the last layer's output or the boxes of all heads.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[2]))

from starter.yolo_shapes import darknet  # noqa: E402


def output_of(config, weights, image, folder):
    """Return what the real Darknet makes of ``image``, for tests; ``folder`` takes two files."""
    from conftest import missing

    if not os.path.exists(darknet.LIBRARY):
        missing(f"{darknet.LIBRARY} is not there; `apt-get install darknet` installs it")
    np.save(folder / "image.npy", image)
    files = [config, weights, folder / "image.npy", folder / "output.npy"]
    subprocess.run([sys.executable, __file__, *files], check=True, capture_output=True)
    return np.load(folder / "output.npy")


def main(config, weights, source, target):
    """Write the output."""
    network = darknet.Network.for_one(Path(config).read_text(encoding="utf-8"), weights)
    np.save(target, network.run(np.load(source)))


if __name__ == "__main__":
    main(*sys.argv[1:])
