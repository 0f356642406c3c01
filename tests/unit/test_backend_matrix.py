"""The matrix of what runs the files of a graph, from evidence."""

import pytest

from zoomill.proof import backend_matrix

LIMITS = {"times": 2, "flips": 0.01, "steps": 2, "share": 0.01}
EQUAL = {"inputs": 9, "values": 90, "differ": 0, "steps": 0, "share": None, "decisions": 9, "flips": 0}
NEAR = {**EQUAL, "differ": 5, "steps": 1}
FAR = {**EQUAL, "differ": 50, "steps": 40, "flips": 3}
NONE = {**EQUAL, "inputs": 0}
FIRST = {"operator": "ADD", "place": 3, "operators": 9, "tensor": "a|b", "steps": 4, "share": 0.031}


def document(parity, **more):
    about = {"artifact": "main.int8.tflite", "sha256": "0", "failures": [], "not_tested": [], "reason": None}
    return {**about, "parity": parity, **more}


@pytest.fixture
def row():
    """The row of a file that TFLite Micro refuses, the GPU gets wrong, and WebGPU does not compile."""
    sets = {"builtin": EQUAL, "builtin, 2 threads": EQUAL, "xnnpack": NEAR, "xnnpack, 2 threads": FAR}
    told = {
        "kernels": document(sets, refused={"micro": "no such kernel"}),
        "gpu": document({"gpu": FAR, "xnnpack": NEAR}, first_wrong="CONV_2D 8 is off", refused=["RELU"]),
        "litertjs": document({"wasm": NEAR, "xnnpack": NEAR}, backends={"wasm": {}, "webgpu": {"error": "too large"}}),
    }
    return backend_matrix.row("int8", "tflite", told, LIMITS)


def test_every_backend_has_figures_or_a_reason(row):
    cells = row["backends"]
    assert list(cells) == [f"{one.evidence} {one.name}" for one in backend_matrix.TABLE["tflite"]]
    assert {name: cell["reason"] for name, cell in cells.items() if "reason" in cell} == {
        "kernels micro": "no such kernel",
        "litertjs webgpu": "too large",
    }
    assert {name: cell["against"] for name, cell in cells.items() if "against" in cell} == {
        **{
            f"kernels {name}": "reference"
            for name in ("builtin", "builtin, 2 threads", "xnnpack", "xnnpack, 2 threads")
        },
        "gpu gpu": "built-in",
        "litertjs wasm": "built-in",
    }


def test_what_is_beyond_the_limits_is_marked_and_the_operator_at_fault_of_the_gate_taken(row):
    assert [name for name, cell in row["backends"].items() if cell.get("beyond")] == [
        "kernels xnnpack, 2 threads",
        "gpu gpu",
    ]
    assert row["backends"]["gpu gpu"]["first"] == "CONV_2D 8 is off"
    assert "first" not in row["backends"]["kernels xnnpack, 2 threads"]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (document({}, failures=["LiteRT refuses it: why"]), "LiteRT refuses it: why"),
        (document({}, reason="the GPU runs none of its operators"), "the GPU runs none of its operators"),
        (document({"gpu": NONE}, not_tested=["there are no inputs"]), "there are no inputs"),
        (document({}), "it was not run"),
    ],
)
def test_what_has_no_figures_says_why(told, reason):
    documents = {name: document({}) for name in ("kernels", "litertjs")}
    cells = backend_matrix.row("int8", "tflite", {**documents, "gpu": told}, LIMITS)["backends"]
    assert cells["gpu gpu"] == {"reason": reason}


def test_the_table_says_how_far_where_they_part_and_what_does_not_run(row):
    row["backends"]["kernels xnnpack, 2 threads"]["first"] = {
        "differs": {**FIRST, "steps": 1, "share": 0.0078},
        "beyond": FIRST,
        "far": None,
    }
    wasm = {**EQUAL, "steps": None, "share": 0.02, "differ": 9}
    about = document({"wasm": wasm}, artifact="main.float32.tfjs", backends={"webgl": {"error": "none | here"}})
    rows = [row, backend_matrix.row("float32", "tfjs", {"spread": about}, LIMITS)]
    lines = backend_matrix.text("m", "main", rows, LIMITS).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    far = "**40 steps, 3 of 9**"
    assert cells[1] == ["int8", "equal", "equal", "1 steps", far, "no", far, "1 steps", "no"]
    assert cells[3] == ["float32", "**0.02**", "no", "no"]
    there = "from ADD 3 of 9 (`a|b`)"
    parts = f"differs {there}, 1 steps or 0.0078; beyond the limits {there}, 4 steps or 0.031"
    assert f"- int8.tflite xnnpack, 2 threads: {parts}" in lines
    assert "- int8.tflite GPU: CONV_2D 8 is off" in lines
    assert "- int8.tflite micro: no such kernel" in lines and "- int8.tflite LiteRT.js webgpu: too large" in lines
    assert "- float32.tfjs webgl: none \\| here" in lines


def test_an_answer_that_is_no_number_is_beyond_the_limits():
    endless = {**EQUAL, "steps": None, "share": None, "differ": 4}
    there = {**{key: FIRST[key] for key in FIRST if key != "steps"}, "share": None}
    first = {"differs": there, "beyond": None, "far": None}
    about = document(
        {"wasm": endless, "webgl": EQUAL}, artifact="main.float32.tfjs", backends={"wasm": {"first": first}}
    )
    row = backend_matrix.row("float32", "tfjs", {"spread": about}, LIMITS)
    assert [cell.get("beyond") for cell in row["backends"].values()] == [True, False, None]
    text = backend_matrix.text("m", "main", [row], LIMITS)
    assert "**no number**" in text and "by what is no number" in text
