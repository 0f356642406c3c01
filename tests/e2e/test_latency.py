"""How long files take: what is measured, and what else ran meanwhile."""

import base64
import json
import multiprocessing
import time

import numpy as np
import pytest
from small_models import Builder, dense, dense_contract

from zoomill import files
from zoomill.tflite import latency, tflite_file

pytestmark = pytest.mark.slow


@pytest.fixture
def asked(environment_python, command, tmp_path):
    """Return a function from a model and its contract to the evidence about its times."""

    def ask(model, contract, **golden):
        (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(model))
        files.write_json(tmp_path / "contract.json", contract, recorded=False)
        np.savez(tmp_path / "golden.npz", **golden)
        flags = ["--artifact", tmp_path / "a.tflite", "--contract", tmp_path / "contract.json", "--variant", "float32"]
        flags += ["--golden", tmp_path / "golden.npz"] if golden else []
        process = command(environment_python("litert"), "validate_latency", *flags, "--output", tmp_path / "l.json")
        assert process.returncode == 0, process.stderr
        return files.read_json(tmp_path / "l.json")

    return ask


def test_evidence_has_times_for_one_thread_and_two(asked):
    found = asked(dense(), dense_contract(), image=np.ones((2, 1, 4), np.float32))
    assert (found["verdict"], found["input"], sorted(found["threads"])) == ("passed", "golden", ["1", "2"])
    for times in found["threads"].values():
        assert times["kernels"] == "xnnpack" and times["runs"] >= 20
        assert 0 < times["median_ms"] <= times["p95_ms"]
        assert times["first_ms"] > 0 and times["init_ms"] > 0
    assert found["operators"] == [{"operator": "FULLY_CONNECTED", "tensor": "output", "share": 1.0}]
    assert found["said"].startswith(f"{found['threads']['1']['median_ms']:.3g} ms")


def test_a_stranger_without_golden_inputs_is_run_on_zeros(asked):
    found = asked(dense(), dense_contract())
    assert (found["verdict"], found["input"]) == ("passed", "zeros")


def test_more_work_takes_longer(asked):
    few, many = (asked(dense(units), dense_contract(units))["threads"]["1"]["median_ms"] for units in (300, 300_000))
    assert many > 10 * few


def test_a_file_that_litert_cannot_run_fails(asked):
    builder = Builder()
    ends = [builder.tensor("image", [1, 4]), builder.tensor("scores", [1, 4])]
    builder.operator("Strange", ends[:1], ends[1:])
    found = asked(builder.build(ends[:1], ends[1:]), dense_contract(4))
    assert found["verdict"] == "failed" and found["threads"] == {}
    assert found["failures"][0].startswith("LiteRT cannot run it: Encountered unresolved custom op: Strange")


def work(seconds):
    """Keep a core busy."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_who_runs_beside_is_seen_and_told(tmp_path):
    (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(dense()))
    beside = multiprocessing.get_context("spawn").Process(target=work, args=(4,))
    beside.start()
    time.sleep(1)  # until it has begun
    found = latency.measure(tmp_path / "a.tflite", dense_contract(), {}, 1)
    beside.terminate()
    beside.join()
    assert found["others"] > 0.4 and not latency.is_alone([found])


@pytest.mark.parametrize("others, alone", [(0.02, True), (None, True), (0.5, False)])
def test_times_are_taken_alone_where_others_did_next_to_nothing(others, alone):
    assert latency.is_alone([{"others": 0.0}, {"others": others}]) is alone


def test_no_job_runs_beside_one_that_is_timed(starters, tmp_path):
    from conftest import copied

    run = copied(starters, tmp_path / "copy", "digits_resnet8", "digits_slim")
    settings = ["models=[digits_resnet8,digits_slim]", "tflite=[float32,int8]", "deploy=[latency]", "tfjs=[float32]"]
    run.run("results/summary.md", "results/tfjs.md", "--forcerun", "quantise_tflite", config=settings)
    jobs = {}
    for path in run.file(".snakemake/metadata").iterdir():
        record = json.loads(path.read_text())
        jobs[base64.b64decode(path.name).decode()] = record["starttime"], record["endtime"], record["rule"]
    timed = {name: job for name, job in jobs.items() if job[2] == "validate_latency"}
    assert len(timed) == 4
    for name, (begin, end, _) in timed.items():
        beside = [other for other, job in jobs.items() if other != name and job[0] < end and job[1] > begin]
        assert beside == []
