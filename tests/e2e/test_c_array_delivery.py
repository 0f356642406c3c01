"""C arrays through the real workflow."""

import re
import subprocess

from zoomill.tflite import micro


def test_c_arrays_that_the_configuration_asks_for_are_delivered_with_digests(starter_copy):
    starter_copy.run("results/SHA256SUMS", config=["c_arrays=[float32]"])
    results = starter_copy.file("results")
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=results, check=True)
    listed = re.findall(r"(\S+)\.(cc|h)$", (results / "SHA256SUMS").read_text(), re.MULTILINE)
    assert len(listed) == 2 * 3
    for artifact in {name for name, _ in listed}:
        values = re.findall(r"\b0x(..)", (results / f"{artifact}.cc").read_text())
        path = results / f"{artifact}.tflite"
        assert bytes.fromhex("".join(values)) == micro.deployed(path.read_bytes(), path) != path.read_bytes()
