"""The lines that evidence ends a run with, from made-up jobs and evidence."""

import types

import pytest

from zoomill import files, folders, made
from zoomill.proof import verdicts


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory of the run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def proof(**changes):
    """Return evidence of an artifact, as far as verdicts read it."""
    about = {"model": "small", "graph": "main", "artifact": "main.float32.tflite", "sha256": "0", "failures": []}
    return {**about, "passed": True, **changes}


@pytest.mark.parametrize(
    "changes, lines",
    [
        ({}, []),
        ({"not_tested": []}, []),
        ({"failures": ["a", "b"], "passed": False}, ["a", "b"]),
        ({"failures": ["a"], "not_tested": ["b"], "passed": False}, ["a", "not tested: b"]),
        ({"not_tested": ["b"]}, ["not tested: b"]),
        ({"passed": False}, ["did not pass"]),
    ],
)
def test_every_phrase_of_evidence_is_a_line(changes, lines):
    where = "small: main.float32.tflite: "
    assert verdicts.of_evidence(proof(**changes)) == [where + line for line in lines]


def test_evidence_of_chromium_is_told_for_each_artifact():
    items = [proof(failures=["webgl: leaks"]), proof(artifact="main.float16.tfjs", not_tested=["wasm: constant"])]
    lines = verdicts.of_evidence({"model": "small", "artifact": "in Chromium", "artifacts": items, "passed": False})
    assert lines == [
        "small: in Chromium: main.float32.tflite: webgl: leaks",
        "small: in Chromium: main.float16.tfjs: not tested: wasm: constant",
    ]


@pytest.fixture
def results(folder):
    """Return a function that writes an artifact and evidence of it."""

    def write(name, data, end=".json", **changes):
        path = folder / f"results/small/{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        found = proof(artifact=name, sha256=folders.digest(path))
        files.write_json(f"results/small/{name}{end}", {**found, **changes})
        return f"results/small/{name}{end}"

    return write


class Dag:
    """What is asked of Snakemake's DAG: jobs, and which of them are not to be run any more."""

    def __init__(self, *outputs, waiting=()):
        self.jobs = [types.SimpleNamespace(output=[path]) for path in outputs]
        self.noneedrun_finished = lambda job: job.output[0] not in waiting


def test_only_evidence_of_what_is_wanted_and_was_made_counts(results):
    path = results("main.int8.tflite", b"1", failures=["bad"], passed=False)
    assert verdicts.of_wanted(Dag(path), {}) == ["small: main.int8.tflite: bad"]
    assert verdicts.of_wanted(Dag("results/small/main.int8.tflite", "build/small/main/contract.json"), {}) == []
    assert verdicts.of_wanted(Dag(path, waiting=[path]), {}) == []
    assert verdicts.of_wanted(Dag("results/small/main.float32.tflite.json"), {}) == []  # its job failed


def test_other_bytes_than_those_of_the_evidence_are_told_for_files_and_folders(results, folder):
    paths = [results("main.int8.tflite", b"1"), results("main.float32.tflite", b"2")]
    (folder / "results/small/main.int8.tflite").write_bytes(b"3")
    model = folder / "results/small/main.float32.tfjs"
    model.mkdir()
    (model / "model.json").write_text("{}")
    files.write_json(f"{model}.json", proof(artifact=model.name, sha256=folders.digest(model)))
    dag = Dag(*paths, "results/small/main.float32.tfjs.json")
    assert [line.split()[1] for line in verdicts.of_wanted(dag, {})] == ["main.int8.tflite"]
    (model / "group1-shard1of1.bin").write_bytes(b"4")
    (folder / "results/small/main.float32.tflite").unlink()
    told = sorted(line.split()[1] for line in verdicts.of_wanted(dag, {}))
    assert told == ["main.float32.tfjs", "main.float32.tflite", "main.int8.tflite"]


def test_variants_of_equal_bytes_are_twins_in_one_graph_and_format_only(results):
    paths = [
        results("main.float32.tflite", b"1"),
        results("main.float16.tflite", b"1"),
        results("other.float32.tflite", b"1", graph="other"),
        results("main.float32.openvino", b"1"),
    ]
    assert verdicts.of_wanted(Dag(*paths), {}) == [
        "small: main.float16.tflite and main.float32.tflite have the same bytes, so one is not what its name says"
    ]


def test_what_int8_mixed_is_where_int8_is_good_enough_is_no_twin(results):
    paths = [results(f"main.{variant}.tflite", b"1") for variant in ("int8", "int8_mixed")]
    assert verdicts.of_wanted(Dag(*paths), {}) == []


@pytest.mark.parametrize(
    "interval, told",
    [
        ([-0.30, -0.12], "loses 0.2 of auc, 0.12 to 0.3 by 40 samples, allowed 0.1"),
        ([-0.30, 0.02], "not told whether it loses too much: 0.2 of auc, -0.02 to 0.3 by 40 samples, allowed 0.1"),
        ([-0.09, 0.02], None),
    ],
    ids=["lost", "not told", "passed"],
)
def test_a_loss_beyond_what_the_card_allows_is_a_line_and_one_that_may_be_is_no_pass(gated, interval, told):
    assert gated(interval) == told


@pytest.mark.parametrize(
    "allowed, changes, why",
    [
        (0.1, {"samples": 5}, "that takes 30 samples"),
        (0.01, {}, "that takes 300 samples"),
        (0.01, {"samples": 300}, None),
        (0, {}, "no number of samples tells a loss of 0"),
        (0.5, {"share": False, "samples": 29}, "that takes 30 samples"),
        (0.5, {"share": False, "samples": 30}, None),
        (0, {"share": False}, None),
        (0.1, {"rare": {"dog": 1, "cat": 6}}, "too few pictures to tell: dog (1), cat (6)"),
        (
            0.1,
            {"rare": dict.fromkeys("gfedcba", 2)},
            "too few pictures to tell: a (2), b (2), c (2), d (2), e (2), 2 more",
        ),
    ],
)
def test_too_few_samples_are_no_pass_though_none_of_them_is_lost(gated, allowed, changes, why):
    told = gated([0, 0], allowed, difference=0, **changes)
    count = changes.get("samples", 40)
    start = f"not told whether it loses too much: 0 of auc, 0 to 0 by {count} samples, allowed {allowed:g}; "
    assert told == (why and start + why)


def test_rare_categories_are_no_proof_that_too_much_is_lost(gated):
    told = gated([-0.30, -0.12], rare={"dog": 9})
    assert told.startswith("not told") and told.endswith("; too few pictures to tell: dog (9)")


@pytest.fixture
def gated(results):
    """Return a function from the interval of a difference to what is told of the artifact, None where it passes."""

    def judge(interval, allowed=0.1, difference=-0.2, **changes):
        lost = [{"difference": difference, "interval": interval, "verdict": "loss"}]
        paths = [_scored(results, variant, against, changes) for variant, against in (("float32", []), ("int8", lost))]
        lines = verdicts.of_wanted(Dag(*paths), {"small": {"int8": allowed}})
        return lines[0].removeprefix("small: main.int8.tflite: ") if lines else None

    return judge


def _scored(results, variant, against, changes):
    more = {"variant": variant, "figure": "auc", "values": {"auc": 0.9}, "samples": 40, "against": against}
    path = results(f"main.{variant}.tflite", variant.encode(), **{**more, "share": True, "rare": {}, **changes})
    files.write_json(path.replace(".tflite.json", ".metric.json"), files.read_json(path))
    return path.replace(".tflite.json", ".metric.json")


@pytest.mark.parametrize("data", [b'{"model": "sm', b"{}", b"[]", b"\xff"])
def test_damaged_evidence_is_a_line(results, folder, data):
    path = results("main.int8.tflite", b"1")
    (folder / path).write_bytes(data)
    assert verdicts.of_wanted(Dag(path), {}) == [
        f"small: {path} is damaged; make it again with: snakemake -j1 --force {path}"
    ]


def figure(results, variant):
    """Write an artifact and metric evidence of it alone, and return the path of that."""
    path = results(f"main.{variant}.tflite", variant.encode(), figure="auc", values={"auc": 0.9}, against=[])
    files.write_json(path.replace(".tflite.json", ".metric.json"), files.read_json(path))
    return path.replace(".tflite.json", ".metric.json")


def test_an_artifact_that_was_changed_is_one_line_though_its_figures_are_stale_too(results, folder):
    path = figure(results, "int8")
    (folder / "results/small/main.int8.tflite").write_bytes(b"retrained")
    assert verdicts.of_wanted(Dag(path), {}) == [
        "small: main.int8.tflite was changed after it was validated; "
        f"restore it with: snakemake -j1 --force results/small/main.int8.tflite {path}"
    ]


def test_a_damaged_record_of_a_figure_is_a_line(results, folder):
    path = figure(results, "int8")
    (folder / "results/small/.made/main.int8.metric.json.json").write_text("{")
    assert verdicts.of_wanted(Dag(path), {}) == [
        f"results/small/.made/main.int8.metric.json.json: is damaged, so nobody knows who made {path}; "
        f"restore it by `snakemake -j1 --force {path}`"
    ]


def test_figures_of_a_source_are_held_to_what_it_gave(folder):
    given = "build/small/main/predictions.npz"
    files.write_bytes(given, b"given")
    made.checked(given)
    figures = {"variant": "source", "figure": "auc", "values": {"auc": 0.9}, "against": []}
    path = "results/small/source.metric.json"
    files.write_json(path, proof(artifact="predictions.npz", sha256=files.digest(given), **figures))
    assert verdicts.of_wanted(Dag(path), {}) == []
    (folder / given).write_bytes(b"other")
    assert verdicts.of_wanted(Dag(path), {}) == [
        "small: predictions.npz: its figures are stale (artifact); "
        f"renew them with: snakemake -j1 --force {given} {path}"
    ]
