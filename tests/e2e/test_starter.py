"""The default job on the starter model: what a newcomer gets from `make run`."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY, STARTERS, copied

from zoomill.detection.postprocess import Options
from zoomill.tflite import detection_parity, runtime, tflite_file

MODEL = "ssd_mobilenet_v1_shapes"
GRAPHS = ("detect_cut", "detect_regular", "detect_fast")
VARIANTS = ("float32", "float16", "dynamic", "int8", "toco_float32")
JOB = re.compile(r"^ *\d+ of \d+  \S* +(\w+)", re.MULTILINE)


def jobs(process):
    """Return the rules that a run executed, `all` excepted."""
    return JOB.findall(process.stdout)


def evidence(run, graph, variant):
    """Return the evidence of an artifact of the starter."""
    return json.loads(run.file(f"results/{MODEL}/{graph}.{variant}.tflite.json").read_text())


def add_graph(repository, name, options):
    """Give the starter's card of a repository copy another graph."""
    path = repository / f"models/{MODEL}.yaml"
    card = yaml.safe_load(path.read_text())
    card["graphs"] = {name: options}
    path.write_text(yaml.safe_dump(card))


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_artifact_stands_beside_evidence_that_it_passed(starter_run, graph, variant):
    found = evidence(starter_run, graph, variant)
    artifact = starter_run.file(f"results/{MODEL}/{graph}.{variant}.tflite")
    assert found["passed"] and found["failures"] == []
    assert found["bytes"] == artifact.stat().st_size
    assert found["converter"] == ("TOCO Converted." if variant == "toco_float32" else "MLIR Converted.")


def test_checksums_can_be_checked_with_sha256sum(starter_run):
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=starter_run.file("results"), check=True)
    listed = starter_run.file("results/SHA256SUMS").read_text().splitlines()
    assert len(listed) == len(GRAPHS) * len(VARIANTS) + 1 and f"  {MODEL}/labels.txt" in listed[-1][64:]


def test_a_second_run_has_nothing_to_do(starter_copy):
    starter_copy.run("--forcerun", "summarise")
    assert "Nothing to be done" in starter_copy.run().stdout


def test_a_moved_folder_has_nothing_to_do(starter_copy):
    assert "Nothing to be done" in starter_copy.run().stdout


def test_a_deleted_artifact_is_made_again_by_one_job_and_is_the_same(starter_copy):
    target = f"results/{MODEL}/detect_cut.float16.tflite"
    before = starter_copy.file(target).read_bytes()
    starter_copy.file(target).unlink()
    assert jobs(starter_copy.run(target)) == ["quantise_tflite"]
    assert starter_copy.file(target).read_bytes() == before


def test_another_run_in_another_folder_gives_the_same_bytes(starter_run, workflow):
    workflow.run()
    for name in ("SHA256SUMS", f"{MODEL}/provenance.json"):
        assert workflow.file(f"results/{name}").read_bytes() == starter_run.file(f"results/{name}").read_bytes()


def test_regular_and_fast_nms_are_told_apart(starter_run):
    for graph, regular in (("detect_regular", True), ("detect_fast", False)):
        found = evidence(starter_run, graph, "float32")
        assert found["postprocess"]["use_regular_nms"] is regular
        assert found["parity"]["source"]["compared"] == ("all" if regular else "best")
        contract = json.loads(starter_run.file(f"build/{MODEL}/{graph}/contract.json").read_text())
        contract["postprocess"]["use_regular_nms"] = not regular
        folder = starter_run.file(f"build/{MODEL}/detect_cut")
        golden, anchors = dict(np.load(folder / "golden.npz")), np.load(folder / "anchors.npy")
        path, limits = starter_run.file(f"results/{MODEL}/{graph}.float32.tflite"), found["limits"]
        other, _ = detection_parity.of_file(path, contract, golden, anchors, limits)
        assert {phrase.partition(":")[0] for phrase in other.failures} == {"op", "decision"}


def test_detections_are_those_of_the_source_model_itself(starter_run):
    found = evidence(starter_run, "detect_regular", "float32")["parity"]["source"]
    assert found["matched"] == found["expected"] == found["found"] > 0
    assert found["score_difference"] < 1e-5
    for source in (found, evidence(starter_run, "detect_cut", "int8")["source"]):
        assert source["box_coder"]["explained"] == source["box_coder"]["expected"] > 0


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_names_and_signature_are_readable(starter_run, graph, variant):
    model = tflite_file.read(starter_run.file(f"results/{MODEL}/{graph}.{variant}.tflite"))
    (signature,) = model.signatureDefs
    contract = json.loads(starter_run.file(f"build/{MODEL}/{graph}/contract.json").read_text())
    assert [entry.name.decode() for entry in signature.outputs] == [out["name"] for out in contract["outputs"]]
    names = [tensor.name.decode() for tensor in model.subgraphs[0].tensors]
    assert not [name for name in names if ";" in name or not name]
    assert len(set(names)) == len(names)


def test_toco_leaves_its_operator_counts_as_evidence(starter_run):
    counts = evidence(starter_run, "detect_regular", "toco_float32")["conversion"]
    assert counts["operators_before"] > counts["operators_after"] > 0
    assert counts["arithmetic_operations"] > 0


def test_options_of_a_card_are_read_back_from_the_files(starter_copy):
    """The bug of the MLPerf recipe: an option that was set, reported by nobody as dropped, and not applied."""
    wanted = {"use_regular_nms": True, "detections_per_class": 7, "max_detections": 33}
    add_graph(starter_copy.repository, "detect_asked_for", wanted)
    targets = [f"results/{MODEL}/detect_asked_for.{variant}.tflite" for variant in ("dynamic", "toco_float32")]
    starter_copy.run(*targets)
    for target in targets:
        model = tflite_file.read(starter_copy.file(target))
        found = tflite_file.postprocess_options(model)
        assert {name: getattr(found, name) for name in wanted} == wanted
        contract = json.loads(starter_copy.file(f"build/{MODEL}/detect_asked_for/contract.json").read_text())
        assert found == Options(**contract["postprocess"])


def test_fast_nms_reports_several_classes_for_each_box(starter_copy):
    add_graph(starter_copy.repository, "detect_two", {"use_regular_nms": False, "max_classes_per_detection": 2})
    target = f"results/{MODEL}/detect_two.float32.tflite.json"
    starter_copy.run(target)
    parity = json.loads(starter_copy.file(target).read_text())["parity"]["op"]
    fast = evidence(starter_copy, "detect_fast", "float32")["parity"]["op"]
    assert parity["matched"] == parity["expected"] == 2 * fast["expected"]


def test_an_artifact_beyond_its_limits_fails_the_run_after_everything_else(starter_copy):
    with open(starter_copy.repository / f"models/{MODEL}.yaml", "a") as file:
        file.write("limits: {float32: {sqnr: 190}}\n")
    starter_copy.file("results/SHA256SUMS").unlink()
    process = starter_copy.run(check=False)
    assert process.returncode != 0
    lines = [line for line in process.stdout.splitlines() if line.startswith("error: ")]
    assert lines and all(
        re.match(rf"error: {MODEL}: detect_\w+.float32.tflite: .*, allowed 190$", line) for line in lines
    )
    assert starter_copy.file("results/SHA256SUMS").exists()


def test_verify_calls_the_locked_artifacts_identical(starters, tmp_path):
    process = copied(starters, tmp_path / "copy").run("verify", config=STARTERS)
    verdicts = dict(re.findall(r"^(\S+\.tflite): (.*)$", process.stdout, re.MULTILINE))
    assert verdicts.keys() == json.loads((REPOSITORY / "artifacts.lock").read_text()).keys()
    assert set(verdicts.values()) == {"identical"}


def test_the_faithful_route_gives_the_same_outputs_as_the_default_one(starter_run, workflow, environment_python):
    environment_python("tf1")
    target = f"results/{MODEL}/detect_cut.toco_float32.tflite"
    shutil.copytree(starter_run.file("sources"), workflow.file("sources"))
    workflow.run(target, config=["toco=tf1"])
    contract = json.loads(starter_run.file(f"build/{MODEL}/detect_cut/contract.json").read_text())
    with np.load(starter_run.file(f"build/{MODEL}/detect_cut/golden.npz")) as golden:
        images = golden["normalized_input_image_tensor"]
    ours, theirs = (runtime.Artifact(run.file(target)) for run in (starter_run, workflow))
    for image in images:
        feed = {contract["inputs"][0]["tensor"]: image}
        expected, found = ours(contract, feed), theirs(contract, feed)
        assert all(np.array_equal(expected[name], found[name]) for name in expected)
