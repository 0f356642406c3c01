"""PyTorch models as sources: parity with PyTorch through both routes, and those that would run code in one line."""

import json
import subprocess
import zipfile

import figures
import numpy as np
import pytest
from conftest import REPOSITORY, copied, source_flags

from zoomill import files
from zoomill.tflite import runtime
from zoomill.yaml_file import load_yaml

# Their outputs have no names but these.
OUTPUTS = [{"name": "features"}, {"name": "mean"}, {"name": "gated"}]
SHAPES = [{"shape": [1, 8, 8, 3]}, {"shape": [1, 4]}]
HOSTILE = b"cos\nsystem\n(S'touch ran'\ntR."


@pytest.fixture(scope="session")
def models(environment_python, tmp_path_factory):
    """The folder of the models that pytorch_models.py writes."""
    folder = tmp_path_factory.mktemp("models")
    script = REPOSITORY / "tests/e2e/pytorch_models.py"
    subprocess.run([environment_python("torch"), script, folder], check=True, capture_output=True)
    return folder


@pytest.fixture
def run(command, environment_python, tmp_path):
    """Return a function that runs a PyTorch model: the process, and the folder of what it wrote."""

    def run(path, inputs=(), outputs=OUTPUTS, folder=tmp_path / "written", **options):
        card = {"inputs": list(inputs), "outputs": outputs}
        flags = (*source_flags("tested", path, card, **options), "--output-dir", folder)
        return command(environment_python("torch"), "run_pytorch", *flags, cwd=tmp_path), folder / "pytorch"

    return run


@pytest.fixture
def chain(run, command, environment_python):
    """Return a function that takes a PyTorch model through both routes: contract, golden outputs, largest errors."""

    def chain(path, inputs=()):
        process, recorded = run(path, inputs=inputs)
        folder = recorded.parent
        card = {"inputs": list(inputs), "outputs": OUTPUTS}
        contract, golden = ("--contract", folder / "contract.json"), ("--golden", folder / "golden.npz")
        ends = {name: ("--output", folder / f"{name}.tflite") for name in ("graph", "direct")}
        exported, direct = (source_flags("tested", one, card) for one in (recorded / "net.pt2", path))
        for done in (
            process,
            command(environment_python("onnx"), "export_pytorch", *exported, "--output-dir", folder),
            command(
                environment_python("tf2"), "convert_tflite", "--graph", folder / "graph.pb", *contract, *ends["graph"]
            ),
            command(environment_python("torch"), "convert_pytorch", *direct, *contract, *golden, *ends["direct"]),
        ):
            assert done.returncode == 0, done.stderr
        described = files.read_json(folder / "contract.json")
        with np.load(folder / "golden.npz") as stored:
            rows = dict(stored)
        return (
            described,
            rows,
            [figures.of_artifact(runtime.Artifact(end[-1]), described, rows) for end in ends.values()],
        )

    return chain


def refused(process, folder):
    """Return the only line of a refusal, which leaves nothing behind."""
    assert process.returncode == 1, process.stderr
    assert not list(folder.glob("*")) and not list(folder.parent.glob("ran"))
    assert "Traceback" not in process.stderr
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith("error: tested: ")
    return last


def with_members(path, copy, **replaced):
    """Copy a zip file with other content of some members, told by the ends of their names."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            for end, change in replaced.items():
                content = change(content) if name.endswith(end) else content
            target.writestr(name, content)
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("name, inputs", [("net.pt2", ()), ("net.pt", SHAPES)])
def test_both_routes_agree_with_pytorch_in_the_same_channels_last_contract(chain, models, name, inputs):
    contract, golden, errors = chain(models / name, inputs)
    assert [(entry["name"], entry["shape"]) for entry in contract["inputs"]] == [
        ("picture", [1, 8, 8, 3]),
        ("numbers", [1, 4]),
    ]
    # Four rows, columns and channels: only the numbers tell which is which.
    assert [(entry["name"], entry["shape"]) for entry in contract["outputs"]] == [
        ("features", [1, 4, 4, 4]),
        ("mean", [1, 4]),
        ("gated", [1, 4]),
    ]
    assert contract["notes"] == [f"{name} is NHWC here and NCHW in the source" for name in ("picture", "features")]
    assert np.allclose(golden["features"].mean((2, 3)), golden["mean"], atol=1e-6)
    for found in errors:
        assert all(error["peak"] > 0 and error["max_abs"] < 1e-6 for error in found.values())


@pytest.mark.slow
def test_two_runs_write_equal_bytes(run, models, tmp_path):
    first, second = (run(models / "net.pt2", folder=tmp_path / name)[1] for name in ("first", "second"))
    for name in ("model.onnx", "golden.npz"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


@pytest.mark.slow
def test_what_is_not_needed_is_neither_unpickled_nor_compiled(run, models, tmp_path):
    def guarded(content):
        return json.dumps({**json.loads(content), "guards_code": ["__import__('os').system('touch ran')"]}).encode()

    hostile = {"sample_inputs/model.pt": lambda _: HOSTILE, "models/model.json": guarded}
    process, folder = run(with_members(models / "net.pt2", tmp_path / "hostile.pt2", **hostile))
    assert process.returncode == 0, process.stderr
    assert not (tmp_path / "ran").exists()
    harmless = run(models / "net.pt2", folder=tmp_path / "harmless")[1]
    assert (folder / "model.onnx").read_bytes() == (harmless / "model.onnx").read_bytes()


def test_sizes_that_follow_from_others_are_the_cards_and_outputs_in_a_dict_keep_their_keys(run, models):
    process, folder = run(models / "keyed.pt2", inputs=[{"shape": [1, 16, 24, 3]}], outputs=[])
    assert process.returncode == 0, process.stderr
    with np.load(folder / "golden.npz") as golden:
        shapes = {name: array.shape[1:] for name, array in golden.items()}
        np.testing.assert_allclose(golden["blocks"].sum((3, 4)), golden["totals_0"], atol=1e-4)
    assert shapes == {
        "picture": (1, 16, 24, 3),
        "output_0": (1, 48, 4, 6),
        "blocks": (1, 48, 4, 6),
        "totals_0": (1, 48),
        "totals_1": (1, 48),
    }


@pytest.mark.parametrize(
    "name, reason",
    [
        ("branching.pt", "its numbers decide what it does (torch.cond, prim::If of TorchScript, If of ONNX)"),
        ("looping.pt", "trace it, do not script it: TS2EPConverter failed for node prim::Loop"),
    ],
)
def test_control_flow_is_refused_by_its_name(run, models, name, reason):
    assert reason in refused(*run(models / name, inputs=SHAPES[:1], outputs=[]))


@pytest.mark.parametrize("name", ["state.pt", "module.pt", "old.pt"])
def test_a_pickle_is_refused_with_what_to_save_instead(run, models, name):
    line = refused(*run(models / name))
    assert f"{models / name}: holds pickled Python objects, which are not loaded; save torch.export.export(" in line


@pytest.mark.parametrize("name", ["net.pt2", "net.pt"])
def test_a_truncated_file_is_refused(run, models, tmp_path, name):
    path = tmp_path / name
    path.write_bytes((models / name).read_bytes()[:-100])
    assert f"{path}: is truncated, or is no file of PyTorch" in refused(*run(path, inputs=SHAPES))


def test_another_shape_than_the_programs_is_refused_with_both(run, models):
    line = refused(*run(models / "net.pt2", inputs=[{"shape": [1, 9, 9, 3]}, {}]))
    assert "input picture: the card expects shape [1, 9, 9, 3], the source has [None, 8, 8, 3]" in line


def test_torchscript_without_shapes_is_refused(run, models):
    line = refused(*run(models / "net.pt"))
    assert "does not tell the shapes of its inputs (picture, numbers); give `shape` for each in the card's" in line


def test_torchscript_that_cannot_run_with_the_cards_shapes_is_refused(run, models):
    line = refused(*run(models / "net.pt", inputs=[{"shape": [1, 8, 8, 2]}, SHAPES[1]]))
    assert "PyTorch cannot run it on inputs of the card's shapes: " in line


def test_a_program_in_training_mode_is_refused(run, models):
    line = refused(*run(models / "noisy.pt2", outputs=[]))
    assert "gives other outputs for the same input; call model.eval()" in line


def test_more_outputs_in_the_card_than_in_the_source_are_refused(run, models):
    assert "the card has 3 outputs, the source 1" in refused(*run(models / "noisy.pt2"))


def test_an_unknown_input_to_keep_the_layout_of_is_refused(run, models):
    line = refused(*run(models / "net.pt2", keep_layout=["nothing"]))
    assert "has no input nothing to keep the layout of" in line


@pytest.mark.slow
def test_a_pytorch_source_is_scored_on_the_samples_of_its_card(starters, tmp_path):
    workflow = copied(starters, tmp_path / "copy", "digits_pytorch")
    workflow.run(*(f"results/digits_pytorch/{name}.metric.json" for name in ("source", "main.float32")))
    card = load_yaml(REPOSITORY / "models/digits_pytorch.yaml")
    found = {
        name: files.read_json(workflow.file(f"results/digits_pytorch/{name}.metric.json"))
        for name in ("source", "main.float32")
    }
    assert found["source"]["values"]["top_1"] == pytest.approx(card["published"][0]["value"], abs=5e-5)
    assert found["source"]["values"] == pytest.approx(found["main.float32"]["values"])
