"""Every layer of Darknet against the real library, OpenCV and NumPy, on small networks with random parameters.

The real library is of 2018 and does not know what came later; OpenCV reads most of that.
"""

import json
import struct

import figures
import numpy as np
import pytest
from darknet_graphs import export_all
from darknet_reference import output_of

from zoomill.inspect import darknet_cfg
from zoomill.sources.darknet import reference
from zoomill.tflite import runtime

pytestmark = pytest.mark.slow
ANCHORS = "2,3, 4,1.5, 3,5"


class Net:
    """A small network, put together layer by layer; not square, so that a mix-up of the sides shows.

    Args:
        references: ``darknet`` and ``opencv`` if they can run it.
    """

    def __init__(self, *references, height=12, width=10, channels=3, heads="decoded", letter_box=0, labels=()):
        self.references, self.heads, self.random = references, heads, np.random.default_rng(0)
        self.labels = labels
        sizes = f"height={height}\nwidth={width}\nchannels={channels}\n"
        self.text, self.values = f"[net]\n{sizes}letter_box={letter_box}\n", []

    def add(self, kind, **options):
        """Add a section without parameters; a trailing underscore is for Python's own words."""
        lines = [f"{key.rstrip('_')}={value}\n" for key, value in options.items()]
        self.text += f"\n[{kind}]\n{''.join(lines)}"
        return self

    def conv(self, channels, filters, size=3, *, groups=1, batch_normalize=1, spread=1.5, **options):
        """Add a convolution of ``channels`` channels; the larger ``spread``, the larger its outputs."""
        self.add("convolutional", filters=filters, size=size, groups=groups, batch_normalize=batch_normalize, **options)
        self.values.append(self.random.normal(0, 0.1, filters))
        if batch_normalize:
            self._normalise(filters)
        self._multiply(filters, channels // groups * size * size, spread)
        return self

    def connected(self, inputs, outputs, *, batch_normalize=0, **options):
        """Add a fully connected layer, whose normalisation stands behind its matrix."""
        self.add("connected", output=outputs, batch_normalize=batch_normalize, **options)
        self.values.append(self.random.normal(0, 0.1, outputs))
        self._multiply(outputs, inputs, 1.5)
        if batch_normalize:
            self._normalise(outputs)
        return self

    def _normalise(self, filters):
        self.values += [self.random.uniform(*ends, filters) for ends in ((0.5, 1.5), (-0.1, 0.1), (0.5, 1.5))]

    def _multiply(self, filters, inputs, spread):
        self.values.append(self.random.normal(0, spread / np.sqrt(inputs), filters * inputs))

    def write(self, folder):
        """Write the files that tests/e2e/darknet_graphs.py wants."""
        folder.mkdir()
        values = np.concatenate([*self.values, []]).astype("<f4")
        (folder / "model.cfg").write_text(self.text)
        (folder / "model.weights").write_bytes(struct.pack("<iiiQ", 0, 2, 5, 64) + values.tobytes())
        options = {"config": "model.cfg", "weights": "model.weights", "heads": self.heads}
        card = {"inputs": [], "outputs": [], "labels": self.labels, "label_offset": 0}
        flags = ["--options", json.dumps(options), "--card", json.dumps(card)]
        (folder / "arguments.json").write_text(json.dumps(flags))
        (folder / "of_windows.names").write_bytes(b"\xef\xbb\xbfred\r\ndark green\r\nblue\r\n")


def start(*references, **options):
    """Return a network that begins with a normalised 3x3 convolution to four channels."""
    return Net(*references, **options).conv(3, 4, pad=1, activation="linear")


def pooled(size, stride, **options):
    """Return a network that ends in a maximum over windows."""
    return start("darknet", "opencv").add("maxpool", size=size, stride=stride, **options)


def detector(*references, activation="linear", **options):
    """Return a network of 16 channels in 6x5 cells, enough for two anchors and three classes."""
    return Net(*references, **options).conv(3, 16, stride=2, pad=1, activation=activation)


def yolo(*references, **options):
    """Return a network that ends in a [yolo] head."""
    kind = {key: options.pop(key) for key in ("activation", "heads", "labels") if key in options}
    return detector(*references, **kind).add("yolo", classes=3, num=3, mask="2,0", anchors=ANCHORS, **options)


BOTH = ("darknet", "opencv")
NETS = {
    # Activations
    **{kind: Net(*BOTH).conv(3, 4, activation=kind) for kind in ("leaky", "linear", "logistic", "relu")},
    **{kind: Net("opencv").conv(3, 4, activation=kind) for kind in ("mish", "swish")},
    "relu6": Net().conv(3, 4, spread=15, activation="relu6"),
    "logistic_without_activation": Net("darknet").conv(3, 4),
    # Convolutions
    "not_normalised": Net(*BOTH).conv(3, 4, batch_normalize=0, pad=1, activation="leaky"),
    "gray": Net(*BOTH, channels=1).conv(1, 4, pad=1, activation="leaky"),
    "stride_2": Net(*BOTH).conv(3, 4, stride=2, pad=1, activation="leaky"),
    "stride_2_of_odd_sides": Net(*BOTH, height=13, width=11).conv(3, 4, stride=2, pad=1, activation="leaky"),
    "stride_2_of_5x5": Net(*BOTH).conv(3, 4, 5, stride=2, pad=1, activation="leaky"),
    "stride_2_of_1x1": Net("opencv").conv(3, 4, 1, stride=2, pad=1, activation="leaky"),
    "stride_3": Net(*BOTH).conv(3, 4, stride=3, pad=1, activation="leaky"),
    "strides_that_differ": Net().conv(3, 4, stride_x=2, stride_y=3, pad=1, activation="leaky"),
    "kernel_of_even_size": Net(*BOTH).conv(3, 4, 2, pad=1, activation="leaky"),
    "padding_1_of_5x5": Net(*BOTH).conv(3, 4, 5, padding=1, activation="leaky"),
    "padding_2_of_3x3": Net(*BOTH).conv(3, 4, padding=2, activation="leaky"),
    "depthwise": start(*BOTH).conv(4, 4, groups=4, pad=1, activation="leaky"),
    "depthwise_twice_as_many": start(*BOTH).conv(4, 8, groups=4, stride=2, pad=1, activation="leaky"),
    "depthwise_strides_that_differ": start().conv(4, 4, groups=4, stride_x=2, pad=1, activation="leaky"),
    "two_groups": start(*BOTH).conv(4, 6, groups=2, pad=1, activation="leaky"),
    # Pooling
    **{f"maxpool_{size}_by_{stride}": pooled(size, stride) for size in (1, 2, 3, 4, 5, 13) for stride in (1, 2, 3)},
    "maxpool_of_odd_sides": start(*BOTH, height=13, width=11).add("maxpool", size=3, stride=2),
    "maxpool_padding_0": pooled(3, 2, padding=0),
    "maxpool_padding_1": pooled(3, 2, padding=1),
    "maxpool_size_by_default": start("darknet").add("maxpool", stride=2),
    "maxpool_strides_that_differ": start().add("maxpool", size=3, stride=1, stride_x=2),
    "avgpool": start(*BOTH).add("avgpool"),
    # Classifiers
    "softmax": start(*BOTH).add("avgpool").add("softmax", groups=1).add("cost", type="sse"),
    "softmax_of_groups": start("darknet").add("avgpool").add("softmax", groups=2, temperature=0.5),
    "connected": Net(*BOTH).conv(3, 2, activation="leaky").connected(2 * 10 * 8, 5, activation="leaky"),
    "connected_normalised": start("darknet").connected(4 * 12 * 10, 5, batch_normalize=1).connected(5, 3),
    # Connections
    "upsample": Net(*BOTH).conv(3, 4, stride=2, activation="linear").add("upsample", stride=2),
    "upsample_scaled": Net("darknet").conv(3, 4, activation="linear").add("upsample", stride=3, scale=0.5),
    "route": start(*BOTH)
    .conv(4, 2, activation="leaky", pad=1)
    .add("route", layers="-1, 0")
    .conv(6, 2, activation="relu"),
    "route_back": start(*BOTH).conv(4, 2, activation="leaky").add("route", layers=-2).conv(4, 2, activation="relu"),
    "route_group": start("opencv").add("route", layers=-1, groups=2, group_id=1).conv(2, 2, activation="relu"),
    "route_groups_joined": start()
    .conv(4, 2, activation="leaky", pad=1)
    .add("route", layers="-1,-2", groups=2, group_id=1),
    "shortcut": start(*BOTH).conv(4, 4, pad=1, activation="leaky").add("shortcut", from_=-2, activation="linear"),
    "shortcut_activated": start(*BOTH)
    .conv(4, 4, pad=1, activation="relu")
    .add("shortcut", from_=0, activation="leaky"),
    "shortcut_of_several": start().add("dropout").conv(4, 4, pad=1, activation="relu").add("shortcut", from_="-2,-3"),
    "squeeze_excite": start("opencv")
    .add("avgpool")
    .conv(4, 4, 1, activation="logistic")
    .add("scale_channels", from_=-3),
    "sam": start("opencv").conv(4, 4, pad=1, activation="logistic").add("sam", from_=-2, activation="leaky"),
    "dropout": start(*BOTH).add("dropout", probability=0.5).conv(4, 2, 1, activation="relu"),
    **{
        kind: Net(*(BOTH if kind == "reorg" else ())).conv(3, 8, pad=1, activation="linear").add(kind, stride=2)
        for kind in ("reorg", "reorg_old", "reorg3d")
    },
    # Heads
    "region": detector(*BOTH).add("region", classes=3, num=2, softmax=1, anchors=ANCHORS[:8], thresh=0.6),
    "region_without_softmax": detector("darknet").add("region", classes=3, num=2, softmax=0, anchors=ANCHORS[:8]),
    "yolo": yolo(*BOTH),
    "yolo_stretched": yolo("opencv", scale_x_y=1.1),
    "yolo_new_coords": yolo("opencv", activation="logistic", scale_x_y=2, new_coords=1),
    "yolo_raw": yolo("opencv", heads="raw"),
    "letterboxed": detector(*BOTH, letter_box=1),
    "named": yolo(*BOTH, labels="of_windows.names"),
    # For conversion
    "many_kinds": Net()
    .conv(3, 8, pad=1, activation="mish")
    .conv(8, 8, pad=1, groups=8, activation="swish")
    .add("maxpool", size=3, stride=2)
    .add("upsample", stride=2, scale=0.5)
    .add("reorg", stride=2)
    .conv(32, 8, activation="relu6")
    .add("avgpool")
    .conv(8, 8, 1, activation="logistic")
    .add("scale_channels", from_=-3, activation="leaky")
    .add("sam", from_=-4)
    .add("route", layers="-1,-2", groups=2, group_id=1)
    .connected(8 * 4 * 3, 6, activation="relu")
    .add("softmax", groups=2),
    "two_heads": yolo(*BOTH)
    .add("route", layers=-2)
    .add("upsample", stride=2)
    .conv(16, 8, pad=1, activation="linear")
    .add("yolo", classes=3, num=3, mask="1", anchors=ANCHORS),
}
BROKEN = {
    "channels=4 is not supported": Net(channels=4).conv(4, 4),
    "[net] is followed by no layers": Net(),
    "filters=0 is not one integer from 1 on": Net().add("convolutional", filters=0),
    "stride=0 is not one integer from 1 on": start().add("maxpool", size=2, stride=0),
    "dilation=2 is not supported, only dilation=1": Net().conv(3, 4, dilation=2),
    "antialiasing=1 is not supported": Net().conv(3, 4, antialiasing=1),
    "share_index= is not supported": Net().conv(3, 4, share_index=0),
    "has 3 groups for 4 channels and 6 filters": start().conv(4, 6, groups=3),
    "activation=selu is not supported; there are: leaky,": Net().conv(3, 4, activation="selu"),
    "has a window of 13, but its input has only 12": Net().conv(3, 4, 13, padding=0),
    "padding=4 is more than the window of size=3 can reach over": pooled(3, 1, padding=4),
    "has a window of 25, too large for an input of 12x10x4": pooled(25, 2),
    "maxpool_depth=1 is not supported": pooled(3, 1, maxpool_depth=1),
    "cannot take layers=-3, there are layers 0 to 0": start().add("route", layers=-3),
    "needs layers=": start().add("route"),
    "cannot take group 2 of 2 from 12x10x4": start().add("route", layers=-1, groups=2, group_id=2),
    "cannot join layers of 12x10x4, 1x1x4": start().add("avgpool").add("route", layers="0,1"),
    "cannot add layers of 1x1x4, 12x10x4": start().add("avgpool").add("shortcut", from_=0),
    "weights_type=per_feature is not supported": start()
    .add("dropout")
    .add("shortcut", from_=0, weights_type="per_feature"),
    "alpha= and beta= are not supported": start().add("dropout").add("shortcut", from_=0, alpha=0.5),
    "cannot scale the channels of 12x10x4 by 12x10x4": start().add("dropout").add("scale_channels", from_=0),
    "cannot multiply layers of 1x1x4, 12x10x4": start().add("avgpool").add("sam", from_=0),
    "cannot split 12x10x4 by 4": start().add("reorg", stride=4),
    "cannot split 12x10x4 by 5": start().add("reorg3d", stride=5),
    "cannot make 1 groups of probabilities from 12x10x4": start().add("softmax"),
    "needs 24 channels (anchors * (5 + classes)), the layer before has 16": detector().add(
        "yolo", classes=3, num=3, anchors=ANCHORS
    ),
    "has 6 numbers in anchors= and mask [0, 3], but num=3": detector().add(
        "yolo", classes=3, num=3, mask="0,3", anchors=ANCHORS
    ),
    "tree= is not supported": detector().add("region", classes=3, num=2, tree="9k.tree", anchors=ANCHORS),
    "coords=5 is not supported": detector().add("region", classes=3, num=2, coords=5, anchors=ANCHORS),
    "follows a detection head": yolo().conv(16, 4),
    "cannot take layers=-1, there are layers 0 to 1": yolo().add("route", layers=-1),
    "has 11 classes, another head 3": yolo().add("route", layers=0).add("yolo", classes=11, anchors="1,2"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, environment_python):
    """Folder of all networks, exported and run by TensorFlow in one process."""
    path = tmp_path_factory.mktemp("nets")
    for name, net in NETS.items():
        net.write(path / name)
    for index, net in enumerate(BROKEN.values()):
        net.write(path / f"broken_{index}")
    (path / "log").write_text(export_all(environment_python("tf2"), path))
    return path


def outputs(folder, name):
    """Return input and outputs of the graph, for the first pinned input, as Darknet's library has them.

    The input is ``[channels, height, width]``; outputs are flat and channels first, or rows of boxes.
    """
    with np.load(folder / name / "outputs.npz") as found, np.load(folder / name / "main/golden.npz") as golden:
        return golden["image"][0, 0].transpose(2, 0, 1), [flat(found[key][0, 0]) for key in found]


def flat(value):
    """Return ``[height, width, channels]`` flat, channels first; anything else as it is."""
    return value.transpose(2, 0, 1).ravel() if value.ndim == 3 else value


@pytest.mark.parametrize("name", NETS)
def test_the_graph_gives_what_numpy_gives(folder, name):
    image, found = outputs(folder, name)
    net, sections = darknet_cfg.read(folder / name / "model.cfg")
    layers = reference.run(sections, folder / name / "model.weights", image)
    heads = [(section, x) for section, x in zip(sections, layers, strict=True) if section.kind in ("region", "yolo")]
    if not heads:
        expected = [layers[-1].ravel()]
    elif NETS[name].heads == "decoded":
        expected = [np.concatenate([reference.boxes(net, *head) for head in heads])]
    else:
        expected = [x.ravel() for _, x in heads]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name, net in NETS.items() if "darknet" in net.references])
def test_the_graph_gives_what_darknet_gives(folder, name, tmp_path):
    image, (found,) = outputs(folder, name)
    model = folder / name
    expected = output_of(model / "model.cfg", model / "model.weights", image, tmp_path)
    if name.startswith("region"):  # which the library lists anchor by anchor
        expected = expected.reshape(2, -1, 8).transpose(1, 0, 2).reshape(-1, 8)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["reorg", "reorg_old", "reorg3d"])
def test_values_move_as_in_the_loops_of_reorg_cpu(folder, name):
    """Its sizes are the input's, in AlexeyAB's [reorg3d] the output's."""
    image, (found,) = outputs(folder, name)
    _, sections = darknet_cfg.read(folder / name / "model.cfg")
    x = reference.run(sections, folder / name / "model.weights", image)[0].ravel()
    channels, height, width = (32, 6, 5) if name == "reorg3d" else (8, 12, 10)
    expected = np.empty_like(x)
    for k, j, i in np.ndindex(channels, height, width):
        offset, c2 = divmod(k, channels // 4)
        w2, h2 = i * 2 + offset % 2, j * 2 + offset // 2
        expected[i + width * (j + height * k)] = x[w2 + width * 2 * (h2 + height * 2 * c2)]
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def test_labels_may_stand_in_a_file_of_the_source(folder):
    assert json.loads((folder / "named/main/contract.json").read_text())["labels"] == ["red", "dark green", "blue"]


def test_the_contract_says_that_pictures_keep_their_shape_where_the_network_does(folder):
    found = {name: json.loads((folder / name / "main/contract.json").read_text())["inputs"][0] for name in NETS}
    centred = {"fit": "letterbox", "centred": True, "padding": 127.5}
    assert found.pop("letterboxed")["preprocess"] == centred
    assert not any("preprocess" in entry for entry in found.values())


@pytest.mark.parametrize("name", NETS)
def test_golden_outputs_are_opencvs_where_it_can_run_the_network(folder, name):
    by_numpy = f"{folder / name}/model.cfg: golden outputs by NumPy" in (folder / "log").read_text()
    assert by_numpy == ("opencv" not in NETS[name].references)
    with np.load(folder / name / "outputs.npz") as found, np.load(folder / name / "main/golden.npz") as golden:
        assert sorted(golden) == sorted(["image", *found])
        for key, value in found.items():
            np.testing.assert_allclose(value, golden[key], atol=1e-4, rtol=1e-5)


def test_every_kind_of_layer_converts_to_operators_of_tflite(folder, environment_python, command, tmp_path):
    made, artifact = folder / "many_kinds/main", tmp_path / "artifact.tflite"
    files = ["--graph", made / "graph.pb", "--contract", made / "contract.json", "--output", artifact]
    process = command(environment_python("tf2"), "convert_tflite", *files)
    assert process.returncode == 0, process.stderr
    with np.load(made / "golden.npz") as golden:
        contract = json.loads((made / "contract.json").read_text())
        found = figures.of_artifact(runtime.Artifact(artifact), contract, golden)
    assert found["scores"]["max_abs"] < 1e-5


@pytest.mark.parametrize("message", BROKEN)
def test_what_cannot_be_exported_is_refused_in_one_line(folder, message):
    broken = folder / f"broken_{list(BROKEN).index(message)}"
    error = (broken / "error.txt").read_text()
    assert message in error and f"{broken}/model.cfg: line " in error and "\n" not in error
    assert not (broken / "main").exists()
