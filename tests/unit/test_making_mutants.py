"""Making mutants: each changes what it says, nothing else, and the file still loads."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from mutants import openvino, tfjs, tflite, weights
from rows import variant
from small_models import Builder, heads, heads_contract, options, run

from zoomill.tfjs import tfjs_model
from zoomill.tflite import artifact, tflite_file

CONTRACT = {
    "model": "small",
    "graph": "main",
    "inputs": [{"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 5, 5, 3]}],
    "outputs": [
        {"name": name, "tensor": name, "dtype": "float32", "shape": [1, 5, 5, 4]} for name in ("first", "second")
    ],
}
RANDOM = np.random.default_rng(0)
KERNELS = {name: RANDOM.normal(size=(4, 3, 3, size)) for name, size in (("one", 3), ("two", 4), ("three", 4))}
BIASES = {name: RANDOM.normal(size=4) for name in KERNELS}
CHANGES = {
    "kernel shuffled": {"two"},
    "first kernel mirrored": {"one"},
    "one bias moved": {"two/bias"},
    "one bias moved far": {"two/bias"},
    "weights zeroed": {"one", "two", "three"},
    "scale doubled": {"two"},
    "range doubled": {"one"},
    "outputs swapped": set(),
    "colours swapped": {"one"},
    "20 % noise": {"one", "two", "three"},
    "output constant": {"three"},
    "activation dropped": set(),
    "operator bypassed": set(),
}


def three_layers(stored="float32"):
    """Return three convolutions of pictures, the first two with a ReLU, behind the last of which stands another."""
    builder = Builder()
    ends = [builder.tensor(name, [1, 5, 5, size]) for name, size in (("x", 3), ("a", 4), ("first", 4), ("b", 4))]
    ends.append(builder.tensor("second", [1, 5, 5, 4]))
    for place, name in enumerate(KERNELS):
        constants = [constant(builder, *item, stored) for item in ((name, KERNELS), (f"{name}/bias", BIASES))]
        settings = schema.Conv2DOptionsT()
        settings.strideH = settings.strideW = 1
        settings.fusedActivationFunction = int(place < 2)
        builder.operator("CONV_2D", [ends[place], *constants], [ends[place + 1]], settings)
    builder.operator("LOGISTIC", [ends[3]], [ends[4]])
    model = builder.build(ends[:1], [ends[2], ends[4]])
    tflite_file.set_signature(model, CONTRACT)
    return model


def constant(builder, name, values, stored):
    """Add a constant stored as float32, float16 behind a DEQUANTIZE, or int8 of one scale for each channel."""
    values = values[name.split("/")[0]]
    if stored == "float32":
        return builder.tensor(name, values.astype(np.float32))
    if stored == "float16":
        index = builder.tensor(name, values.astype(np.float16))
        wide = builder.tensor(f"{name}/wide", list(values.shape))
        builder.operator("DEQUANTIZE", [index], [wide], schema.DequantizeOptionsT())
        return wide
    if values.ndim == 1:  # dynamic ranges leave biases in float
        return builder.tensor(name, values.astype(np.float32))
    scale = np.abs(values).max(axis=(1, 2, 3)) / 127
    index = builder.tensor(name, np.rint(values / scale[:, None, None, None]).astype(np.int8))
    quantised = builder.graph.tensors[index].quantization
    quantised.scale, quantised.zeroPoint = scale.astype(np.float32), np.zeros(4, np.int64)
    return index


@pytest.fixture
def mutate(tmp_path):
    """Return a function from a model and a mutant's name to the mutant, read again, or None."""

    def make(model, name, contract=CONTRACT):
        right, wrong = tmp_path / "right.tflite", tmp_path / "wrong.tflite"
        right.write_bytes(tflite_file.serialise(model))
        network = tflite.Network(right, contract)
        if not tflite.MUTANTS[name](network):
            return None
        network.save(wrong)
        return tflite_file.read(wrong)

    return make


def constants(model):
    """Return ``{tensor: real numbers}`` of all constants."""
    tensors = [tensor for tensor in model.subgraphs[0].tensors if model.buffers[tensor.buffer].data is not None]
    return {tensor.name.decode(): tflite_file.real(tensor, tflite_file.constant(model, tensor)) for tensor in tensors}


def changed(before, after):
    return {name for name in before if not np.array_equal(before[name], after[name])}


@pytest.mark.parametrize("stored", ["float32", "float16", "int8"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_mutant_of_a_tflite_file_changes_the_tensors_it_names_and_loads(mutate, name, stored):
    right = three_layers(stored)
    wrong = mutate(three_layers(stored), name)
    assert changed(constants(right), constants(wrong)) == CHANGES[name]
    assert len(run(wrong, np.ones((1, 5, 5, 3), np.float32))) == 2


@pytest.mark.parametrize("stored", ["float32", "float16", "int8"])
def test_mutants_of_weights_do_what_their_names_say(mutate, stored):
    right = constants(three_layers(stored))
    wrong = {name: constants(mutate(three_layers(stored), name)) for name in CHANGES}
    assert np.array_equal(wrong["first kernel mirrored"]["one"], right["one"][:, :, ::-1])
    assert np.array_equal(wrong["colours swapped"]["one"], right["one"][..., ::-1])
    for name, kernel in (("scale doubled", "two"), ("range doubled", "one")):
        assert np.array_equal(wrong[name][kernel], 2 * right[kernel])
    for name, kernels in (("weights zeroed", KERNELS), ("output constant", ["three"])):
        assert all(np.all(wrong[name][kernel] == 0) for kernel in kernels)
    moved = wrong["one bias moved"]["two/bias"] - right["two/bias"]
    assert moved == pytest.approx([0, 0, np.abs(right["two/bias"]).max(), 0], rel=1e-3, abs=1e-3)
    far = wrong["one bias moved far"]["two/bias"] - right["two/bias"]
    assert far.max() == pytest.approx(np.linalg.norm(right["two"].reshape(4, -1), axis=1).max(), rel=1e-3)
    noise = wrong["20 % noise"]["two"] - right["two"]
    assert noise.std() == pytest.approx(0.2 * right["two"].std(), rel=0.2)


def test_a_shuffled_kernel_has_the_same_stored_numbers_in_another_order(mutate):
    before, after = (
        tflite_file.constant(model, next(tensor for tensor in model.subgraphs[0].tensors if tensor.name == b"two"))
        for model in (three_layers("int8"), mutate(three_layers("int8"), "kernel shuffled"))
    )
    assert np.array_equal(np.sort(before, None), np.sort(after, None))


def test_swapped_outputs_exchange_names_or_else_channels(mutate):
    picture = RANDOM.normal(size=(1, 5, 5, 3)).astype(np.float32)
    wrong = mutate(three_layers(), "outputs swapped")
    right = three_layers()
    tensors = [{entry.name: entry.tensorIndex for entry in m.signatureDefs[0].outputs} for m in (right, wrong)]
    assert tensors[0] == {b"first": tensors[1][b"second"], b"second": tensors[1][b"first"]}
    alone = {**CONTRACT, "outputs": CONTRACT["outputs"][1:]}
    wrong = mutate(three_layers(), "outputs swapped", alone)
    assert np.array_equal(run(wrong, picture)[1], run(right, picture)[1][..., [3, 1, 2, 0]])


def test_a_dropped_activation_and_a_bypassed_operator_are_gone(mutate):
    assert np.any(run(mutate(three_layers(), "activation dropped"), np.ones((1, 5, 5, 3), np.float32))[0] < 0)
    wrong = mutate(three_layers(), "operator bypassed")
    assert tflite_file.operators(wrong) == {"CONV_2D": 2, "LOGISTIC": 1}


def test_a_product_of_scales_stays_one_when_a_kernel_is_doubled():
    numbers = weights.Numbers(np.array([[10, 20]], np.int8), np.array([0.5]), np.zeros(1))
    bias = weights.Numbers(np.array([40], np.int32), np.array([0.25]), np.zeros(1))
    weights.Layer("OI", numbers, bias, product=True).double()
    assert (numbers.real().tolist(), bias.real().tolist()) == ([[10, 20]], [10])
    assert (numbers.scale[0], bias.scale[0]) == (1.0, 0.5)


@pytest.mark.parametrize(
    "name, key",
    [
        ("other score threshold", "nms_score_threshold"),
        ("other IoU threshold", "nms_iou_threshold"),
        ("fewer detections", "max_detections"),
        ("other kind of NMS", "use_regular_nms"),
        ("fewer detections per class", "detections_per_class"),
        ("other box scale", "y_scale"),
    ],
)
def test_a_mutant_of_the_op_changes_one_option(mutate, name, key, tmp_path):
    model, contract = detector(tmp_path)
    found = vars(tflite_file.postprocess_options(mutate(model, name, contract)))
    assert {option for option, value in vars(options()).items() if found[option] != value} == {key}


def test_shuffled_anchors_are_the_same_in_another_order(mutate, tmp_path):
    model, contract = detector(tmp_path)
    before, after = constants(model)["anchors"], constants(mutate(model, "anchors shuffled", contract))["anchors"]
    assert not np.array_equal(before, after)
    assert sorted(before.tolist()) == sorted(after.tolist())


def detector(folder):
    """Return a delivered model of the op alone and its contract."""
    model, contract = heads(6, 4), heads_contract(options(), 6)
    tflite_file.append_postprocess(model, RANDOM.random((6, 4), np.float32), options())
    artifact.deliver(model, contract, variant("float32"), folder / "detector.tflite")
    return tflite_file.read(folder / "detector.tflite"), contract


def test_what_a_file_does_not_have_is_not_changed(mutate):
    builder = Builder()
    ends = [builder.tensor(name, [1, 4]) for name in ("x", "first")]
    builder.operator("LOGISTIC", ends[:1], ends[1:])
    contract = {**CONTRACT, "outputs": CONTRACT["outputs"][:1]}
    model = builder.build(ends[:1], ends[1:])
    assert {name for name in tflite.MUTANTS if mutate(model, name, contract)} == set()


WEB = {"kernel": (3, 3, 3, 4), "bias": (4,), "matrix": (100, 10)}


def web_model(folder, dtype):
    """Write a TensorFlow.js model, a fused convolution and a matrix product, whose kernels are stored in a dtype."""
    stored, entries = [], []
    for name, sizes in WEB.items():
        values, quantised = RANDOM.normal(size=sizes), {}
        if dtype == "uint8" and name != "bias":
            scale = float(np.ptp(values) / 255)
            quantised = {"quantization": {"dtype": "uint8", "scale": scale, "min": float(values.min())}}
            data = np.rint((values - values.min()) / scale).astype(np.uint8).tobytes()
        else:
            data = values.astype("<f4").tobytes()
        entries.append({"name": name, "dtype": "float32", "shape": list(sizes), **quantised})
        stored.append(tfjs_model.Weight(entries[-1], data))
    fused = {"fused_ops": {"list": {"s": ["Qmlhc0FkZA==", "UmVsdQ=="]}}}
    nodes = [
        {"name": "product", "op": "MatMul", "input": ["conv", "matrix"], "attr": {}},
        {"name": "conv", "op": "_FusedConv2D", "input": ["x", "kernel", "bias"], "attr": fused},
        *({"name": name, "op": "Const", "attr": {}} for name in WEB),
        {"name": "x", "op": "Placeholder", "attr": {}},
        {"name": "end", "op": "Softmax", "input": ["product"], "attr": {"T": {"type": "DT_FLOAT"}}},
    ]
    document = {"modelTopology": {"node": nodes}, "signature": {"outputs": {}}}
    folder.mkdir()
    tfjs_model.write_weights(folder, document, stored, 1000)
    tfjs_model.write_document(folder, document)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize(
    "name, tensors",
    [
        ("kernel shuffled", {"matrix"}),
        ("one bias moved", {"bias"}),
        ("weights zeroed", {"kernel", "matrix"}),
        ("scale doubled", {"matrix"}),
        ("range doubled", {"kernel"}),
        ("colours swapped", {"kernel"}),
        ("output constant", {"matrix"}),
        ("outputs swapped", {"matrix"}),
        ("activation dropped", set()),
        ("operator bypassed", set()),
    ],
)
def test_a_mutant_of_a_tensorflow_js_model_changes_the_weights_it_names(tmp_path, dtype, name, tensors):
    web_model(tmp_path / "right", dtype)
    network = tfjs.Network(tmp_path / "right", {**CONTRACT, "outputs": CONTRACT["outputs"][:1]})
    assert tfjs.MUTANTS[name](network)
    network.save(tmp_path / "wrong")
    folders = tmp_path / "right", tmp_path / "wrong"
    documents = list(map(tfjs_model.read_document, folders))
    found = map(tfjs_model.read_weights, folders, documents)
    assert {one.entry["name"] for one, other in zip(*found, strict=True) if one != other} == tensors
    topologies = [document["modelTopology"] for document in documents]
    assert (topologies[0] != topologies[1]) == (not tensors)


def test_mutants_of_an_ir_change_its_weights_alone(tmp_path):
    (tmp_path / "right").mkdir()
    kernel, bias = RANDOM.normal(size=(4, 3, 3, 3)).astype("<f4"), RANDOM.normal(size=4).astype("<f4")
    (tmp_path / "right/model.bin").write_bytes(kernel.tobytes() + bias.tobytes())
    layers = [
        '<layer id="0" type="Parameter"/>',
        '<layer id="1" type="Const"><data element_type="f32" shape="4, 3, 3, 3" offset="0" size="432"/></layer>',
        '<layer id="2" type="Convolution"/>',
        '<layer id="3" type="Const"><data element_type="f32" shape="1, 4, 1, 1" offset="432" size="16"/></layer>',
        '<layer id="4" type="Add"/>',
    ]
    ends = [(0, 2, 0), (1, 2, 1), (2, 4, 0), (3, 4, 1)]
    edges = [f'<edge from-layer="{one}" to-layer="{other}" to-port="{port}"/>' for one, other, port in ends]
    text = f"<net><layers>{''.join(layers)}</layers><edges>{''.join(edges)}</edges></net>"
    (tmp_path / "right/model.xml").write_text(text)
    for name, wanted in (
        ("scale doubled", (2 * kernel, bias)),
        ("weights zeroed", (np.zeros_like(kernel), bias)),
        ("first kernel mirrored", (kernel[..., ::-1], bias)),
        ("colours swapped", (kernel[:, ::-1], bias)),
        ("one bias moved", (kernel, bias + np.eye(4, dtype="<f4")[2] * np.abs(bias).max())),
    ):
        network = openvino.Network(tmp_path / "right", CONTRACT)
        assert openvino.MUTANTS[name](network)
        network.save(tmp_path / name)
        assert (tmp_path / name / "model.bin").read_bytes() == b"".join(array.tobytes() for array in wanted)
        assert (tmp_path / name / "model.xml").read_text() == text
