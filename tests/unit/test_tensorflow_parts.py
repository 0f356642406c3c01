"""Parts of TensorFlow, where there is none."""

import sys

import numpy as np
from small_models import options

from zoomill import files


def test_a_command_that_needs_tensorflow_says_so_in_one_line(command, tmp_path):
    (tmp_path / "graph.pb").write_bytes(b"")
    np.save(tmp_path / "anchors.npy", np.zeros((1, 4), np.float32))
    files.write_json(
        tmp_path / "contract.json",
        {
            "model": "small",
            "outputs": [{}, {"shape": [1, 1, options().num_classes + 1]}],
            "postprocess": vars(options()),
        },
    )
    arguments = ["--graph", "graph.pb", "--contract", "contract.json", "--anchors", "anchors.npy"]
    process = command(sys.executable, "add_postprocess", *arguments, "--output", "g.pb", cwd=tmp_path)
    assert process.returncode == 1
    assert process.stderr.startswith("error: TensorFlow is not installed here") and process.stderr.count("\n") == 1
