"""Where kernels part: all activations of a file as its outputs, and the first that another run gives otherwise."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder, rounded

from zoomill.proof import spread
from zoomill.tflite import kernel_fault, runtime, tflite_file

CONTRACT = {
    "inputs": [{"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 4]}],
    "outputs": [{"name": "y", "tensor": "y", "dtype": "float32", "shape": [1, 3]}],
}
LIMITS = {"steps": 2, "share": 0.01}


def chain(factor=1.0):
    """Return the bytes of a file that negates, multiplies by weights, of which one has another factor, and adds up."""
    builder = Builder()
    x, negated = builder.tensor("x", [1, 4]), builder.tensor("negated", [1, 4])
    weights = np.arange(12, dtype=np.float32).reshape(3, 4)
    weights[2, 3] *= factor
    product, y = builder.tensor("product", [1, 3]), builder.tensor("y", [1, 3])
    builder.operator("NEG", [x], [negated])
    weighed = [negated, builder.tensor("weights", weights), -1]
    builder.operator("FULLY_CONNECTED", weighed, [product], schema.FullyConnectedOptionsT())
    builder.operator("ADD", [product, product], [y], schema.AddOptionsT())
    model = builder.build([x], [y])
    tflite_file.set_signature(model, CONTRACT)
    return tflite_file.serialise(model)


def feed(*values):
    return {"x": np.array([values], np.float32)}


@pytest.mark.parametrize("kernels", ["reference", "builtin", "xnnpack", "micro"])
def test_every_activation_can_be_read_of_all_kernels(kernels):
    data, contract = kernel_fault.exposed(tflite_file.parse(chain(), None), CONTRACT)
    found = runtime.Artifact(data, kernels, contract)(contract, feed(1, 0, 0, 2))
    values = [array.ravel().tolist() for array in found.values()]
    assert values == [[-1, 0, 0, -2], [-6, -18, -30], [-12, -36, -60]]


@pytest.mark.parametrize("kernels", ["reference", "xnnpack", "micro"])
def test_integers_are_read_as_real_numbers(kernels):
    ends = {side: [{**entry, "tensor": f"real {entry['name']}"} for entry in CONTRACT[side]] for side in CONTRACT}
    data, contract = kernel_fault.exposed(rounded(np.int8, 0.5, 3), ends)
    found = runtime.Artifact(data, kernels, contract)(contract, {"real x": np.float32([[0, -1, 0.74, 200]])})
    assert [values.tolist() for values in found.values()] == [[[0, -1, 0.5, 62]]]


@pytest.fixture
def damaged(monkeypatch):
    """Let the other kernels run a file with another weight, by one in a million or by half."""

    def damage(factor):
        def both(data, contract, kernels, threads):
            model, other = tflite_file.parse(data, None), tflite_file.parse(chain(factor), None)
            place = next(t.buffer for t in model.subgraphs[0].tensors if t.name == b"weights")
            wrong = next(other.buffers[t.buffer] for t in other.subgraphs[0].tensors if t.name == b"weights")
            model.buffers[place].data = wrong.data
            files = data, tflite_file.serialise(model)
            return [runtime.Artifact(file, "reference", contract) for file in files]

        monkeypatch.setattr(kernel_fault, "_both", both)

    return damage


def test_the_first_tensor_that_is_off_is_named_on_the_input_that_shows_it_most(damaged):
    damaged(1.5)
    found = kernel_fault.first(chain(), CONTRACT, [feed(1, 1, 1, 0), feed(0, 0, 0, 1), feed(1, 1, 0, 0)], "builtin", 1)
    off = {"operator": "FULLY_CONNECTED", "place": 2, "operators": 3, "tensor": "product", "share": 0.5}
    assert found == dict.fromkeys(("differs", "beyond", "far"), off)


@pytest.mark.parametrize(("factor", "told"), [(1 + 1e-5, ["differs"]), (1.03, ["differs", "beyond"])])
def test_what_is_off_by_less_than_the_limits_differs_only_and_what_is_off_by_little_is_not_far(damaged, factor, told):
    damaged(factor)
    found = kernel_fault.first(chain(), CONTRACT, [feed(0, 0, 0, 1)], "builtin", 1)
    assert [name for name, one in found.items() if one] == told and found["differs"]["tensor"] == "product"


def test_steps_of_integers_are_counted_from_the_limit_on():
    steps = zip("abcdef", (0, 1, 2, 3, 40, 50), strict=True)
    tensors = [({"tensor": name}, {"steps": step, "share": step / 128}) for name, step in steps]
    found = {name: one and one["tensor"] for name, one in spread.parting(tensors, LIMITS).items()}
    assert found == {"differs": "b", "beyond": "d", "far": "e"}
    assert spread.parting(tensors[:1], LIMITS) == dict.fromkeys(found)


def test_what_is_no_number_is_beyond_every_limit():
    far = spread.apart(np.float32([1, 2]), np.float32([1, np.nan]))
    assert spread.parting([({"tensor": "a"}, {"share": far})], LIMITS)["beyond"]["tensor"] == "a"


@pytest.mark.parametrize(
    ("figures", "is_beyond"),
    [
        ({"steps": 2, "share": None, "flips": 1, "decisions": 100}, False),
        ({"steps": 3, "share": None, "flips": 0, "decisions": 0}, True),
        ({"steps": None, "share": 0.02, "flips": 0, "decisions": 0}, True),
        ({"steps": None, "share": float("nan"), "flips": 0, "decisions": 0}, True),
        ({"steps": None, "share": 0.0, "flips": 2, "decisions": 100}, True),
    ],
)
def test_figures_are_beyond_by_steps_by_share_or_by_decisions(figures, is_beyond):
    assert spread.beyond(figures, {**LIMITS, "flips": 0.01}) is is_beyond
