"""The commands behind the reports, on made-up artifacts and evidence."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from rows import flag
from small_models import dense, heads, heads_contract, options

from zoomill import files, folders, made
from zoomill.detection.postprocess import OP
from zoomill.tflite import tflite_file


@pytest.fixture
def run(command, tmp_path):
    """Return a function that runs a command in an empty folder."""
    return lambda name, *arguments: command(sys.executable, name, *arguments, cwd=tmp_path)


def evidence(path, variant="float32", **changes):
    """Write evidence of an artifact of raw heads and return its path."""
    document = {
        "model": "small",
        "graph": "detect_cut",
        "variant": variant,
        "artifact": f"detect_cut.{variant}.tflite",
        "bytes": 2000 if variant == "float32" else 500,
        "parity": {"boxes": {"spread": 1, "sqnr": 98.6}, "scores": {"spread": 0.1, "sqnr": 101.2, "decisions": 0.95}},
        "failures": [],
        "not_tested": [],
        "verdict": "passed" if changes.get("passed", True) else "failed",
        "passed": True,
        **changes,
    }
    files.write_json(path, document)
    return path


@pytest.fixture
def documents(tmp_path):
    """Evidence of a float32 file, a smaller one that misses a limit, and detections."""
    decision = {"expected": 7, "matched": 6, "score_difference": 0.012}
    pairs = {"decision": decision, "heads": {"box_encodings": {"spread": 1, "sqnr": 40.2}}}
    return [
        evidence(tmp_path / "1.json"),
        evidence(tmp_path / "2.json", "dynamic", passed=False, failures=["boxes: too far", "scores: too far"]),
        evidence(tmp_path / "3.json", graph="detect_fast", parity=pairs, artifact="detect_fast.float32.tflite"),
    ]


@pytest.fixture
def summary(run, tmp_path):
    """Return a function that runs the command and returns the cells of the rows and all lines of what it wrote."""

    def summarise(*arguments):
        process = run("summarise", *arguments, "--output", "summary.md")
        assert process.returncode == 0, process.stderr
        lines = (tmp_path / "summary.md").read_text().splitlines()
        rows = [line for line in lines if line.startswith("|") and not line.startswith("|-")]
        return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows], lines

    return summarise


def test_the_summary_has_a_table_for_each_graph_that_fits_on_a_terminal(summary, documents):
    cells, lines = summary("--evidence", *documents)
    assert [line for line in lines if line.startswith("## small")] == ["## small detect_cut", "## small detect_fast"]
    assert max(map(len, lines)) <= 100
    assert cells[0] == ["variant", "bytes", "of f32", "SQNR", "decisions", "metric", "drop", "verdict"]
    assert [row for row in cells if row[0] != "variant"] == [
        ["float32.tflite", "2,000", "100%", "99 dB", "95%", "", "", "passed"],
        ["dynamic.tflite", "500", "25%", "99 dB", "95%", "", "", "FAILED"],
        ["float32.tflite", "2,000", "100%", "40 dB", "6 of 7 boxes", "", "", "passed"],
    ]


def test_a_summary_without_the_float32_file_has_no_share(summary, tmp_path):
    cells, _ = summary("--evidence", evidence(tmp_path / "1.json", "dynamic"))
    assert cells[1][2] == ""


def test_the_summary_lists_what_failed_what_lost_too_much_and_what_is_missing(summary, documents, metrics):
    drops = json.dumps({"small": {"dynamic": 0.01}})
    flags = ("--evidence", *documents, "--metrics", *metrics, "--drops", drops, "--missing", "other: no <file>")
    _, lines = summary(*flags)
    assert lines[lines.index("## What failed") :] == [
        "## What failed",
        "",
        "- other: no &lt;file>",
        "- small: detect_cut.dynamic.tflite: boxes: too far",
        "- small: detect_cut.dynamic.tflite: loses 0.02 of top_1, 0.015 to 0.03 by 100 samples, allowed 0.01",
        "- small: detect_cut.dynamic.tflite: scores: too far",
    ]


def gate(path, name, variant="float32", **changes):
    """Write evidence of a gate and return its path."""
    return evidence(path, variant, **{"gate": name, "said": "", "reason": None, "parity": {}, **changes})


def test_the_summary_says_where_files_run_and_why_others_do_not(summary, documents, tmp_path):
    asked = [
        gate(tmp_path / "4.json", "tasks", said="2 of 2"),
        gate(tmp_path / "5.json", "tasks", "dynamic", reason="no <task>", verdict="does not apply"),
        gate(tmp_path / "6.json", "tasks", "int8", failures=["refused"], verdict="failed", passed=False),
        gate(tmp_path / "7.json", "tasks", graph="detect_fast", reason="no <task>", verdict="does not apply"),
    ]
    cells, lines = summary("--evidence", *documents, "--gates", *asked)
    assert cells[3:7] == [
        ["where it runs", "MediaPipe"],
        ["float32", "passed 2 of 2"],
        ["dynamic", "no"],
        ["int8", "FAILED"],
    ]
    assert lines.count("- MediaPipe, no dynamic: no &lt;task>") == 1
    assert lines.count("- MediaPipe, no float32: no &lt;task>") == 1
    assert "- small: detect_cut.int8.tflite: refused" in lines


def test_a_summary_of_passes_lists_no_failure(summary, documents):
    assert "## What failed" not in summary("--evidence", documents[0])[1]


def test_where_nothing_was_made_the_summary_is_what_is_missing(summary):
    assert summary("--missing", "other: gone") == ([], ["## What failed", "", "- other: gone"])


def metric(path, variant, value, **against):
    """Write an artifact, metric evidence of it and of what it is compared with, and return the evidence's path."""
    document = {"model": "small", "graph": "detect_cut", "variant": variant, "values": {"top_1": value, "other": 0}}
    document["artifact"] = f"detect_cut.{variant}.tflite"
    files.write_bytes(path.parent / document["artifact"], variant.encode())
    document["sha256"] = hashlib.sha256(variant.encode()).hexdigest()
    document |= {"samples": 100, "share": True, "rare": {}, "against": [against] if against else []}
    files.write_json(path, {**document, "figure": "top_1"})
    return path


@pytest.fixture
def metrics(tmp_path):
    """Metric evidence of the first two documents: the smaller file loses 2 points."""
    lost = {"difference": -0.02, "interval": [-0.03, -0.015], "verdict": "loss"}
    return [metric(tmp_path / "m1.json", "float32", 0.9), metric(tmp_path / "m2.json", "dynamic", 0.88, **lost)]


def test_the_summary_shows_the_metric_and_what_is_lost(summary, documents, metrics):
    cells, _ = summary("--evidence", *documents, "--metrics", *metrics)
    figures = [row[5:7] for row in cells]
    head = ["top_1", "drop"]
    assert figures == [head, ["0.9000", ""], ["0.8800", "+0.0200"], head, ["", ""]]


def test_a_figure_of_a_part_of_the_samples_is_marked_and_says_why(summary, documents, metrics):
    document = files.read_json(metrics[1])
    files.write_json(metrics[1], {**document, "until_clear": {"of_samples": 200, "why": "loss"}})
    cells, lines = summary("--evidence", *documents, "--metrics", *metrics)
    assert [row[5] for row in cells[1:3]] == ["0.9000", "0.8800^"]
    assert "^ dynamic.tflite: 100 of 200 samples were scored: loss" in lines
    files.write_json(metrics[1], {**document, "until_clear": {"of_samples": 100, "why": "all samples are scored"}})
    cells, _ = summary("--evidence", *documents, "--metrics", *metrics)
    assert cells[2][5] == "0.8800"


def test_a_stale_figure_is_shown_as_that_and_told_and_its_loss_is_not(summary, documents, metrics, tmp_path):
    (tmp_path / "detect_cut.dynamic.tflite").write_bytes(b"retrained")
    drops = json.dumps({"small": {"dynamic": 0.01}})
    cells, lines = summary("--evidence", *documents, "--metrics", *metrics, "--drops", drops)
    assert [row[5:7] for row in cells[1:3]] == [["0.9000", ""], ["stale (artifact)", ""]]
    told = [line for line in lines if line.startswith("- small: detect_cut.dynamic.tflite: its figures are stale")]
    path = tmp_path / "detect_cut.dynamic.tflite"
    assert told == [
        "- small: detect_cut.dynamic.tflite: its figures are stale (artifact); "
        f"renew them with: snakemake -j1 --force {path} {metrics[1]}"
    ]
    assert not [line for line in lines if "loses" in line]


def test_a_loss_that_may_be_none_is_marked(summary, documents, metrics):
    document = files.read_json(metrics[1])
    document["against"][0] |= {"interval": [-0.05, 0.01], "verdict": "not told apart"}
    files.write_json(metrics[1], document)
    cells, lines = summary("--evidence", *documents, "--metrics", *metrics)
    assert cells[2][6] == "~+0.0200" and lines.count("~ not told apart from float32 on the samples") == 1


def test_a_figure_that_counts_what_the_model_drops_says_so(summary, documents, metrics):
    for path, model in zip(metrics, (0.3, 1e-8), strict=True):
        document = files.read_json(path) | {"nms_score_threshold": {"figure": 1e-8, "model": model}}
        files.write_json(path, document)
    _, lines = summary("--evidence", *documents, "--metrics", *metrics)
    assert lines.count("top_1 (scores from 1e-08)") == 1
    for path in metrics:
        files.write_json(path, files.read_json(path) | {"rare": {"dog": 1}})
    _, lines = summary("--evidence", *documents, "--metrics", *metrics)
    assert lines.count("top_1 (scores from 1e-08; too few pictures to tell: dog (1))") == 1


def test_the_metric_of_a_c_array_is_that_of_tflite_micro(summary, documents, metrics, tmp_path):
    lost = {"difference": -0.05, "interval": [-0.06, -0.04], "verdict": "loss"}
    scored = metric(tmp_path / "m3.json", "dynamic", 0.85, **lost)
    files.write_json(scored, files.read_json(scored) | {"kernels": "micro"})
    drops = json.dumps({"small": {"dynamic": 0.03}})
    cells, lines = summary("--evidence", *documents, "--metrics", *metrics, scored, "--drops", drops)
    assert cells[2][5:7] == ["0.8800", "+0.0200"]
    assert lines.count("top_1 on TFLite Micro, which runs C arrays: dynamic 0.8500") == 1
    lost = [line for line in lines if "loses" in line]
    said = "loses 0.05 of top_1, 0.04 to 0.06 by 100 samples, allowed 0.03"
    assert lost == [f"- small: detect_cut.dynamic.tflite on TFLite Micro: {said}"]


def test_random_calibration_is_seen_in_the_summary(summary, tmp_path):
    drawn = evidence(tmp_path / "1.json", calibration={"samples": "random", "count": 16})
    assert summary("--evidence", drawn)[0][1][-1] == "passed, uncalibrated"


def test_an_artifact_that_does_not_run_has_no_error_in_the_summary(summary, tmp_path):
    broken = evidence(tmp_path / "1.json", parity={}, passed=False, failures=["wasm: Unknown op"])
    assert summary("--evidence", broken)[0][1][3:] == ["", "", "", "", "FAILED"]


@pytest.fixture
def artifacts(tmp_path):
    """Two artifacts under results/small/."""
    paths = [tmp_path / f"results/small/detect_cut.{variant}.tflite" for variant in ("float32", "float16")]
    for seed, path in enumerate(paths):
        files.write_bytes(path, tflite_file.serialise(dense(seed=seed)))
    return paths


def test_checksums_are_those_of_sha256sum_and_sorted_by_name(run, artifacts, tmp_path):
    assert run("write_checksums", "--artifacts", *artifacts, "--output", "results/SHA256SUMS").returncode == 0
    listed = (tmp_path / "results/SHA256SUMS").read_text()
    assert [line.split("  ")[1] for line in listed.splitlines()] == [
        "small/detect_cut.float16.tflite",
        "small/detect_cut.float32.tflite",
    ]
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path / "results", capture_output=True).returncode == 0
    artifacts[0].write_bytes(b"other")
    assert subprocess.run(check, cwd=tmp_path / "results", capture_output=True).returncode != 0


ENVIRONMENT = """\
name: small
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
  - pip:
      - numpy==2.4.6
      - pillow==13.0.0
"""


@pytest.fixture
def goldens(tmp_path, monkeypatch):
    """Golden outputs."""
    monkeypatch.setattr(sys, "argv", ["export_keras.py"])
    files.write_bytes(tmp_path / "build/golden.npz", b"golden")


def provenance(run, root, artifacts, output):
    """Write the provenance of a small repository at ``root``."""
    files.write_bytes(root / "scripts/x.py", b"import numpy\n")
    files.write_bytes(root / "envs/small.yaml", ENVIRONMENT.encode())
    parts = {"script": f"{root}/scripts/x.py", "beside": [], "environment": [f"{root}/envs/small.yaml"]}
    makers = dict.fromkeys(["fetch_source", "generate_dataset", "export_keras", "convert_tflite"], parts)
    makers["run_toco"] = {"script": "no part.py", "beside": [], "environment": ["no part.yaml"]}
    arguments = ["--model", "small", "--artifacts", *artifacts, "--makers", json.dumps(makers)]
    arguments += ["--parameters", '{"b": 1, "a": {"labels": ["ü"]}}']
    arguments += ["--goldens", "build/golden.npz", "--source", "sources/small", "--cache", "cache"]
    return run("write_provenance", *arguments, "--root", root, "--output", output)


def test_provenance_has_digests_parameters_code_and_packages(run, goldens, artifacts, tmp_path):
    assert provenance(run, tmp_path / "root", artifacts, "p.json").returncode == 0
    found = files.read_json(tmp_path / "p.json")
    assert found["model"] == "small" and found["parameters"] == {"a": {"labels": ["ü"]}, "b": 1}
    assert found["artifacts"]["detect_cut.float16.tflite"] == {
        "sha256": files.digest(artifacts[1]),
        "bytes": artifacts[1].stat().st_size,
    }
    assert found["code"] == {"scripts/x.py": files.digest(tmp_path / "root/scripts/x.py")}
    assert found["environments"]["small.yaml"]["packages"]["numpy"] == "2.4.6"
    assert found["environments"]["small.yaml"]["packages"]["python"] == "3.11"
    assert found["cpu"] == {"build/golden.npz": made.cpu()}


def test_what_an_unknown_command_made_is_refused_with_what_to_do(run, goldens, artifacts, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["export_caffe.py"])
    files.write_bytes(artifacts[0], b"new")
    process = provenance(run, tmp_path / "root", artifacts, "p.json")
    assert process.returncode == 1
    assert "was made by export_caffe, which is no command; restore it by `snakemake -j1 --force " in process.stderr
    assert "Traceback" not in process.stderr


@pytest.fixture
def traced(goldens, tmp_path, monkeypatch):
    """An artifact that was made, by way of a graph, of a source that was downloaded."""
    monkeypatch.setattr(sys, "argv", ["fetch_source.py"])
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/0123").write_bytes(b"packed")
    made.checked(tmp_path / "cache/0123")
    with folders.written(tmp_path / "sources/small") as folder:
        (tmp_path / folder / "model.h5").write_bytes(b"weights")
    monkeypatch.setattr(made, "_read", {})
    monkeypatch.setattr(sys, "argv", ["generate_dataset.py"])
    with folders.written(tmp_path / "sources/digits") as folder:
        for name in ("0.npy", "1.npy"):
            (tmp_path / folder / name).write_bytes(b"digit")
    for command, read, path in (
        ("export_keras", "sources/small/model.h5", "build/graph.pb"),
        ("convert_tflite", "build/graph.pb", "results/small/main.float32.tflite"),
    ):
        monkeypatch.setattr(made, "_read", {})
        monkeypatch.setattr(sys, "argv", [f"{command}.py"])
        made.checked(tmp_path / read)
        made.check_member(tmp_path / "sources/digits", "0.npy")
        files.write_bytes(tmp_path / path, path.encode())
    return tmp_path / path


def test_provenance_says_what_was_really_read_the_source_file_by_file_a_data_set_as_one(run, traced, tmp_path):
    assert provenance(run, tmp_path / "root", [traced], "p.json").returncode == 0
    found = files.read_json(tmp_path / "p.json")["read"]
    assert found.pop("build/golden.npz")["sha256"] == files.digest(tmp_path / "build/golden.npz")
    assert found == {
        "build/graph.pb": {"by": "export_keras", "sha256": files.digest(tmp_path / "build/graph.pb")},
        "cache/0123": {"sha256": files.digest(tmp_path / "cache/0123")},
        "sources/digits": {"by": "generate_dataset", "sha256": folders.digest(tmp_path / "sources/digits")},
        "sources/small/model.h5": {"by": "fetch_source", "sha256": hashlib.sha256(b"weights").hexdigest()},
    }


def test_provenance_of_a_changed_source_or_of_a_file_that_nobody_made_is_refused(run, traced, tmp_path):
    (tmp_path / "sources/small/model.h5").write_bytes(b"other")
    (tmp_path / "build/.made/graph.pb.json").unlink()
    process = provenance(run, tmp_path / "root", [traced], "p.json")
    assert process.returncode == 1 and not (tmp_path / "p.json").exists()
    assert process.stderr.startswith("error: ") and "graph.pb: has no record of who made it" in process.stderr


def test_provenance_has_the_same_bytes_from_another_folder_and_names_no_path(run, goldens, artifacts, tmp_path):
    provenance(run, tmp_path / "one", artifacts, "1.json")
    provenance(run, tmp_path / "further/down/two", reversed(artifacts), "2.json")
    written = (tmp_path / "1.json").read_bytes()
    assert written == (tmp_path / "2.json").read_bytes()
    assert str(tmp_path).encode() not in written


def prove(path, passed):
    """Write the evidence of an artifact."""
    files.write_json(f"{path}.json", {"passed": passed, "sha256": files.digest(path)})


@pytest.fixture
def locked(run, artifacts, tmp_path):
    """Lock the two artifacts, whose evidence says that they passed."""
    for path in artifacts:
        prove(path, True)
    assert run("lock_artifacts", "--artifacts", *artifacts, "--results", "results", "--output", "lock").returncode == 0
    return files.read_json(tmp_path / "lock")


def verify(run, *names):
    """Verify artifacts, both of them if none is named."""
    names = names or [f"results/small/detect_cut.{variant}.tflite" for variant in ("float32", "float16")]
    return run("verify", "--lock", "lock", "--artifacts", *names, "--results", "results", "--cache", "cache")


def test_what_is_not_asked_for_is_not_judged_and_nothing_to_judge_is_an_error(run, locked, artifacts):
    artifacts[0].unlink()
    process = verify(run, artifacts[1])
    assert (process.returncode, process.stdout) == (0, "small/detect_cut.float16.tflite: identical\n")
    none = run("verify", "--lock", "lock", "--artifacts", "--results", "results", "--cache", "cache")
    assert none.returncode == 1 and none.stderr.startswith("error: lock: has no artifact of the configured models; ")


def test_what_the_lock_has_of_other_models_stays_and_what_it_had_of_these_goes(run, locked, artifacts, tmp_path):
    other = {"other/main.int8.tflite": {"sha256": "1"}}
    files.write_json(tmp_path / "lock", {**other, "small/detect_cut.int8.tflite": {}}, recorded=False)
    assert run("lock_artifacts", "--artifacts", *artifacts, "--results", "results", "--output", "lock").returncode == 0
    assert files.read_json(tmp_path / "lock") == {**other, **locked}


def test_artifacts_that_are_the_same_again_are_identical(run, locked):
    process = verify(run)
    assert process.returncode == 0
    assert process.stdout.splitlines() == [f"{name}: identical" for name in sorted(locked)]


def test_an_artifact_that_differs_within_its_limits_is_said_and_passes(run, locked, artifacts):
    files.write_bytes(artifacts[0], tflite_file.serialise(dense(seed=9)))
    prove(artifacts[0], True)
    process = verify(run)
    assert process.returncode == 0
    verdict = "numerically equivalent; the first tensor that differs is weights;also;fused"
    assert f"small/detect_cut.float32.tflite: {verdict}" in process.stdout.splitlines()


def test_artifacts_that_differ_beyond_their_limits_fail_each_with_a_line(run, locked, artifacts):
    for path in artifacts:
        files.write_bytes(path, tflite_file.serialise(dense(seed=9)))
        prove(path, False)
    process = verify(run)
    assert process.returncode == 1
    errors = process.stderr.splitlines()
    assert len(errors) == 2 and all(line.startswith("error: small/detect_cut.") for line in errors)
    assert all("different; the first tensor that differs is weights" in line for line in errors)


def test_evidence_counts_for_its_own_artifact_only(run, locked, artifacts):
    """Files that were all made as they stand there, but the evidence is that of another artifact."""
    files.write_bytes(artifacts[0], tflite_file.serialise(dense(seed=9)))
    process = verify(run)
    assert process.returncode == 1
    assert "small/detect_cut.float32.tflite: different" in process.stderr


@pytest.mark.parametrize("end", ["", ".json"])
def test_an_artifact_or_evidence_that_was_changed_is_named_and_gets_no_verdict(run, locked, artifacts, end):
    path = artifacts[0].with_name(f"{artifacts[0].name}{end}")
    path.write_bytes(path.read_bytes()[:-1] + b"\n\n")
    process = verify(run)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    name = f"results/small/detect_cut.float32.tflite{end}"
    assert line.startswith(f"error: {name}: was changed after ")
    assert line.endswith(f"; restore it by `snakemake -j1 --force {name}`")
    assert "small/detect_cut.float32.tflite: not verified" in process.stdout.splitlines()
    assert "small/detect_cut.float16.tflite: identical" in process.stdout.splitlines()


@pytest.mark.parametrize("content", [b"", b"garbage", b"....TFL3" + bytes(4096)])
def test_an_artifact_that_is_no_tflite_file_is_one_line(run, locked, artifacts, content):
    files.write_bytes(artifacts[0], content)
    process = verify(run)
    assert process.returncode == 1 and len(process.stderr.splitlines()) == 1
    assert process.stderr.startswith("error: results/small/detect_cut.float32.tflite: is ")


def test_a_changed_artifact_gets_no_checksum(run, artifacts, tmp_path):
    artifacts[0].write_bytes(b"other")
    process = run("write_checksums", "--artifacts", *artifacts, "--output", "results/SHA256SUMS")
    assert process.returncode == 1 and not (tmp_path / "results/SHA256SUMS").exists()
    assert "detect_cut.float32.tflite: was changed after" in process.stderr


def test_raw_heads_and_a_contract_become_a_detector_by_command(run, tmp_path):
    asked = options(max_detections=4)
    (tmp_path / "cut.tflite").write_bytes(tflite_file.serialise(heads(6, 4)))
    np.save(tmp_path / "anchors.npy", np.full((6, 4), 0.5, np.float32))
    files.write_json(tmp_path / "contract.json", heads_contract(asked, 6))
    arguments = ["--cut", "cut.tflite", "--anchors", "anchors.npy", "--contract", "contract.json"]
    process = run("graft_postprocess", *arguments, "--variant", flag("float32"), "--output", "out.tflite")
    assert process.returncode == 0, process.stderr
    model = tflite_file.read(tmp_path / "out.tflite")
    assert tflite_file.postprocess_options(model) == asked
    assert tflite_file.operators(model) == {OP: 1}
