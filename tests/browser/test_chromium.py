"""Models in headless Chromium: TensorFlow.js on each backend, LiteRT.js, and pages that leave tensors behind."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import small_graph_models as models
import small_models
from conftest import missing

from zoomill import files
from zoomill.tfjs import static_server, tfjs_runtime
from zoomill.tflite import tflite_file

HERE = Path(__file__).parent
CONTRACT = models.contract({"y": [1, 3]})
GOLDEN = {"x": models.INPUTS, "y": models.INPUTS @ models.WEIGHT}


@pytest.fixture(scope="session")
def chromium_python(environment_python):
    """Python of the environment that drives Chromium, where there is one to drive."""
    if not shutil.which("chromium"):
        missing("Chromium is not installed")
    return environment_python("web")


@pytest.fixture
def call_page(chromium_python, javascript, tmp_path):
    """Return a function that calls functions of a page; files of ``tmp_path`` are at /artifacts/ and /results/."""

    def run(*calls, page=None, webgpu=True):
        ours = {"javascript": javascript, "build": javascript.parent, "pages": HERE / "pages"}
        folders = {name: str(path) for name, path in {**ours, "artifacts": tmp_path, "results": tmp_path}.items()}
        asked = json.dumps({"folders": folders, "calls": calls, "page": page, "webgpu": webgpu})
        command = [chromium_python, HERE / "call_page.py"]
        process = subprocess.run(command, input=asked, text=True, capture_output=True)
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)

    return run


def request(folder, contract=CONTRACT, **more):
    """Return a request for a model of the folder that is served."""
    asked = tfjs_runtime.request(folder, contract, GOLDEN)
    return {**asked, "folder": f"/artifacts/{folder.name}/", "runs": 6, **more}


def test_webgpu_without_an_adapter_is_an_error_and_never_another_backend(call_page, tmp_path):
    asked = request(models.product(tmp_path / "m"))
    found = call_page(*(["proveTfjs", {**asked, "backend": name}] for name in ("webgpu", "webgl")), webgpu=False)
    assert found["adapter"] is None and found["backends"] == ["wasm", "webgl"]
    assert "webgpu" in found["answers"][0]["error"]
    assert found["answers"][1]["runs"] == 6


def test_an_adapter_is_named_where_there_is_one_and_webgpu_runs_on_it(call_page, tmp_path):
    found = call_page(["proveTfjs", request(models.product(tmp_path / "m"), backend="webgpu")])
    assert found["backends"] == ["wasm", "webgl", "webgpu"] and found["adapter"]
    measured = tfjs_runtime.with_arrays(found["answers"][0], {"y": "y"})
    np.testing.assert_allclose(measured["outputs"][2]["y"], GOLDEN["y"][2], rtol=1e-5)


@pytest.mark.parametrize("disposes", [False, True], ids=["without dispose", "with dispose"])
def test_a_page_that_reloads_without_dispose_fails_the_leak_test(call_page, tmp_path, disposes):
    asked = request(models.constant(tmp_path / "m"), disposes=disposes)
    (measured,) = call_page(["reload", asked], page="pages/reload.html")["answers"]
    assert tfjs_runtime.leaks(measured["tensors"]) == (
        [] if disposes else ["+3 tensors after the runs", "+3 tensors after dispose"]
    )


def test_an_error_of_one_model_does_not_touch_the_next(call_page, tmp_path):
    broken, whole = models.twice(tmp_path / "broken", operators=None), models.product(tmp_path / "whole")
    own = models.contract({"y": models.SHAPE})
    calls = [["proveTfjs", {**request(broken, own), "backend": "wasm"}], ["proveTfjs", request(whole, backend="wasm")]]
    first, second = call_page(*calls)["answers"]
    assert "Twice" in first["error"] and second["tensors"]["after_dispose"] == 0


# What a script that was slipped in would try. Not awaited for long: some neither end nor fail.
ATTEMPTS = {
    "an inline script": """() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.head.append(script);
    }""",
    "an attribute": """() => {
        document.body.innerHTML = "<img src='data:,' onerror='window.ran = true'>";
    }""",
    "eval": "() => new Promise((resolve) => setTimeout(() => resolve(0, eval('window.ran = true'))))",
    "a script of data": "() => import('data:text/javascript,window.ran = true')",
    "a foreign script": """() => new Promise((resolve, reject) => {
        const script = Object.assign(document.createElement("script"), { src: "ELSEWHERE/web/ran.js" });
        Object.assign(script, { onload: resolve, onerror: reject });
        document.head.append(script);
    })""",
    "a foreign file": "() => fetch('ELSEWHERE/web/runner.js').then(() => { window.ran = true; })",
    "a frame": """() => {
        document.body.append(Object.assign(document.createElement("iframe"), { src: "/web/index.html" }));
    }""",
}
WATCHED = """(async ({ attempt }) => {
    const seen = [];
    document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
    const rest = new Promise((resolve) => setTimeout(resolve, 300));
    await Promise.race([attempt().catch(() => {}), rest]);
    await rest;
    return { ran: Boolean(window.ran), seen };
})"""


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_script_that_is_not_of_the_page_does_not_run(call_page, attempt, tmp_path):
    (tmp_path / "ran.js").write_text("window.ran = true;")
    with static_server.serve({"web": str(tmp_path)}) as elsewhere:
        text = "(async () => {{ await ({})(); }})".format(attempt.replace("ELSEWHERE", elsewhere))
        (found,) = call_page([WATCHED.replace("attempt()", text + "()"), {}], page="web/prove.html")["answers"]
    assert not found["ran"] and found["seen"]


def test_no_file_outside_the_folders_is_handed_out(call_page, tmp_path):
    missing = request(models.product(tmp_path / "m"), backend="wasm") | {"folder": "/artifacts/../m/"}
    (answer,) = call_page(["proveTfjs", missing])["answers"]
    assert "404" in answer["error"]


@pytest.fixture
def validated(chromium_python, javascript, tmp_path, command):
    """Return a function that runs validate_browser on artifacts with their contracts and golden outputs."""

    def run(entries, *flags):
        described = []
        for index, (artifact, contract, golden) in enumerate(entries):
            files.write_json(tmp_path / f"{index}.contract.json", contract)
            np.savez(tmp_path / f"{index}.golden.npz", **golden)
            paths = {"contract": f"{tmp_path}/{index}.contract.json", "golden": f"{tmp_path}/{index}.golden.npz"}
            limits = {"sqnr": 60, "share": 1e-3, "decisions": 1}
            described.append({"artifact": str(artifact), **paths, "limits": limits})
        arguments = ["--entries", json.dumps(described), "--library", javascript, "--runs", 2, "--time-limit", 60]
        output = tmp_path / "browser.json"
        process = command(chromium_python, "validate_browser", *arguments, "--output", output, *flags)
        return process, files.read_json(output) if output.exists() else None

    return run


@pytest.fixture
def tflite(tmp_path):
    """A .tflite file without signature, its contract and its golden outputs."""
    model = small_models.dense(units=5)
    (tmp_path / "main.float32.tflite").write_bytes(tflite_file.serialise(model))
    contract = small_models.dense_contract(units=5)
    for side, tensor in (("inputs", "input;left;over"), ("outputs", "output")):
        contract[side][0]["tensor"] = tensor
    expected = np.stack([small_models.run(model, given)[0] for given in models.INPUTS])
    return tmp_path / "main.float32.tflite", contract, {"input;left;over": models.INPUTS, "output": expected}


def test_evidence_covers_all_artifacts_of_a_model_on_all_backends(validated, tmp_path, tflite):
    own = models.contract({"y": models.SHAPE})
    entries = [
        (models.product(tmp_path / "main.float32.tfjs"), CONTRACT, GOLDEN),
        (models.twice(tmp_path / "main.uint8.tfjs"), own, {"x": models.INPUTS, "y": models.INPUTS * 2}),
        tflite,
    ]
    process, found = validated(entries, "--timed")
    assert process.returncode == 0 and found["passed"] and found["chromium"] and found["webgpu_adapter"]
    assert [(item["artifact"], item["variant"], sorted(item["backends"])) for item in found["artifacts"]] == [
        ("main.float32.tfjs", "float32", ["wasm", "webgl", "webgpu"]),
        ("main.uint8.tfjs", "uint8", ["wasm", "webgl", "webgpu"]),
        ("main.float32.tflite", "float32", ["litert"]),
    ]
    for item in found["artifacts"]:
        assert len(item["sha256"]) == 64
        for figures in item["backends"].values():
            assert tfjs_runtime.leaks(figures["tensors"]) == [] and figures["runs"] == 3
            assert min(figures["load_ms"], figures["first_ms"], figures["median_ms"]) >= 0
            (errors,) = figures["parity"].values()
            assert errors["max_abs"] < 1e-5 * errors["peak"]


def test_an_artifact_that_misses_its_limit_or_does_not_run_is_named_with_its_backend(validated, tmp_path):
    wrong = {"x": models.INPUTS, "y": GOLDEN["y"] * 1.01}
    entries = [
        (models.product(tmp_path / "main.float32.tfjs"), CONTRACT, wrong),
        (models.twice(tmp_path / "main.uint8.tfjs", operators=None), CONTRACT, wrong),
    ]
    process, found = validated(entries)
    assert process.returncode == 0 and not found["passed"]
    far, broken = (
        [line for line in found["failures"] if f"main.{variant}.tfjs: " in line] for variant in ("float32", "uint8")
    )
    for backend in ("wasm", "webgl", "webgpu"):
        assert any(line.startswith(f"main.float32.tfjs: {backend}: y: SQNR ") for line in far)
        assert any(f"{backend}: " in line and "Twice" in line for line in broken)


def test_chromium_that_is_not_installed_is_said_in_one_line(validated, tmp_path):
    entry = models.product(tmp_path / "main.float32.tfjs"), CONTRACT, GOLDEN
    process, found = validated([entry], "--chromium", "no-chromium")
    assert process.returncode == 1 and found is None
    assert process.stderr.startswith("error: no-chromium: is not installed") and process.stderr.count("\n") == 1
