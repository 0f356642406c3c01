"""OpenVINO's IR as a target: from every kind of source through the hub, the same bytes each time, near the source."""

import json
import os
import subprocess

import pytest
from conftest import copied

from zoomill import folders
from zoomill.inspect import recognise

STARTERS = {"digits_resnet8": "main", "ssd_mobilenet_v1_shapes": "detect_cut"}
# An ONNX and a TFLite source.
REAL = ("samplenet_onnx", "mlperf_tiny_vww01_mobilenet_tflite")

each_starter = pytest.mark.parametrize("model", STARTERS)


def ir(model):
    """Return the path of a starter's IR."""
    return f"results/{model}/{STARTERS[model]}.float32.openvino"


@pytest.fixture(scope="session")
def openvino_run(starters, tmp_path_factory):
    """A finished run that validated the IR of two starters."""
    run = copied(starters, tmp_path_factory.mktemp("openvino") / "copy", *STARTERS)
    run.run(*(f"{ir(model)}.json" for model in STARTERS))
    return run


@each_starter
def test_an_ir_stands_beside_evidence_that_it_passed(openvino_run, model):
    folder = openvino_run.file(ir(model))
    found = json.loads(openvino_run.file(f"{ir(model)}.json").read_text())
    assert found["passed"] and found["failures"] == []
    assert found["sha256"] == folders.digest(folder) and found["bytes"] == folders.size(folder)
    assert found["artifact"] == f"{STARTERS[model]}.float32.openvino"
    assert all(errors["max_abs"] < 1e-4 < errors["peak"] for errors in found["parity"].values())


@each_starter
def test_an_ir_has_the_names_and_shapes_of_its_contract_and_float32_weights(openvino_run, model):
    found = recognise.inspect(openvino_run.file(ir(model)))
    (graph,) = found["graphs"]
    (signature,) = graph["signatures"]
    contract = json.loads(openvino_run.file(f"build/{model}/{STARTERS[model]}/contract.json").read_text())
    for side in ("inputs", "outputs"):
        wanted = [(promise["name"], promise["dtype"], promise["shape"]) for promise in contract[side]]
        assert [(entry["name"], entry["dtype"], entry["shape"]) for entry in signature[side]] == wanted
    assert "float32" in graph["parameters"] and not {"float16", "bfloat16"} & graph["parameters"].keys()
    assert graph["custom_operators"] == {}


@each_starter
def test_another_conversion_in_another_folder_gives_the_same_bytes(
    openvino_run, model, command, environment_python, tmp_path
):
    built = openvino_run.file(f"build/{model}/{STARTERS[model]}")
    flags = ("--graph", built / "graph.pb", "--contract", built / "contract.json")
    process = command(environment_python("openvino"), "convert_openvino", *flags, "--output", tmp_path / "again")
    assert process.returncode == 0, process.stderr
    assert sorted(os.listdir(tmp_path / "again")) == ["model.bin", "model.xml"]
    assert folders.digest(tmp_path / "again") == folders.digest(openvino_run.file(ir(model)))


@each_starter
def test_an_ir_names_neither_folder_nor_version_of_the_machine(openvino_run, model):
    text = openvino_run.file(f"{ir(model)}/model.xml").read_text()
    assert str(openvino_run.folder) not in text and "graph.pb" not in text
    assert text.rstrip().endswith("<rt_info />\n</net>")


def test_a_graph_that_cannot_be_read_is_refused_and_leaves_nothing(openvino_run, command, environment_python, tmp_path):
    (tmp_path / "graph.pb").write_bytes(b"no graph")
    contract = openvino_run.file("build/digits_resnet8/main/contract.json")
    flags = ("--graph", "graph.pb", "--contract", contract, "--output", "results/ir")
    process = command(environment_python("openvino"), "convert_openvino", *flags, cwd=tmp_path)
    assert process.returncode == 1
    (line,) = [line for line in process.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: digits_resnet8: graph.pb: cannot be converted: [TensorFlow Frontend] ")
    assert "Traceback" not in process.stderr and os.listdir(tmp_path / "results") == []


def test_an_ir_that_was_asked_for_stands_in_all_reports(starters, tmp_path):
    workflow = copied(starters, tmp_path / "copy", "digits_resnet8")
    wanted = ['models=["digits_resnet8"]', "tflite=[float32]", "openvino=[float32]"]
    workflow.run(config=wanted)
    summary = workflow.file("results/summary.md").read_text()
    rows = [line.split()[1] for line in summary.splitlines() if line.startswith("| float32")]
    assert rows == ["float32.tflite", "float32.openvino"]
    listed = workflow.file("results/SHA256SUMS").read_text()
    for name in ("main.float32.tflite", "main.float32.openvino/model.bin", "main.float32.openvino/model.xml"):
        assert f"  digits_resnet8/{name}\n" in listed
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=workflow.file("results"), check=True)
    provenance = json.loads(workflow.file("results/digits_resnet8/provenance.json").read_text())
    digest = folders.digest(workflow.file(ir("digits_resnet8")))
    assert provenance["artifacts"]["main.float32.openvino"]["sha256"] == digest
    assert provenance["environments"]["openvino.yaml"]["packages"]["openvino"]
    assert "Nothing to be done" in workflow.run(config=wanted).stdout


@pytest.mark.slow
def test_onnx_and_tflite_become_an_ir_that_agrees_with_their_own_runtimes(workflow, zoo):
    evidence = [f"results/{model}/main.float32.openvino.json" for model in REAL]
    workflow.run(*evidence, config=[f'mirrors=["{zoo}"]'])
    for path in evidence:
        found = json.loads(workflow.file(path).read_text())
        assert found["passed"] and max(errors["share"] for errors in found["parity"].values()) < 1e-5
