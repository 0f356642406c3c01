"""Export Darknet models and run their graphs, many in one TensorFlow process: starting it takes longer than all else.

Usage: python darknet_graphs.py FOLDER… — each with model.cfg, model.weights and arguments.json, the further flags of
export_darknet.py. Each gets ``main/`` as the command writes it and ``outputs.npz``, what the graph makes of the golden
inputs; or ``error.txt``.
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"


def export_all(python, folder):
    """Run this file on all folders in ``folder``, for tests, and return what it printed."""
    from conftest import missing

    command = [python, __file__, *sorted(folder.iterdir())]
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"}
    process = subprocess.run(command, env=environment, text=True, capture_output=True)
    if "No module named 'cv2'" in process.stderr:
        missing("the environment tf2 has no OpenCV")
    assert process.returncode == 0, process.stderr
    return process.stderr


def run(folder):
    """Return ``{output: array}`` with a row for each golden input."""
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef.FromString((folder / "main/graph.pb").read_bytes())
    contract = json.loads((folder / "main/contract.json").read_text())
    golden = np.load(folder / "main/golden.npz")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph, name="")
        outputs = {promise["name"]: f"{promise['tensor']}:0" for promise in contract["outputs"]}
        rows = [session.run(outputs, {"image:0": image}) for image in golden["image"]]
    return {name: np.stack([row[name] for row in rows]) for name in outputs}


def main(folders):
    """Export and run all."""
    sys.path.insert(0, str(SCRIPTS))
    import export_darknet
    from zoomill.errors import UserError

    for folder in map(pathlib.Path, folders):
        flags = ["--model", folder.name, "--source", str(folder), "--output-dir", str(folder / "main")]
        flags += json.loads((folder / "arguments.json").read_text())
        try:
            export_darknet.main(flags)
        except UserError as error:
            (folder / "error.txt").write_text(str(error))
        else:
            np.savez(folder / "outputs.npz", **run(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
