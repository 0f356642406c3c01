"""Every Resize that ONNX Runtime runs, against the graph that zoomill makes of it: right, refused, or wrong.

    .venv/bin/python tests/bench/resize.py

prints a Markdown table. `--every 50` takes one combination of fifty. It needs the environment onnx.
"""

import argparse
import collections
import dataclasses
import itertools
import os
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "scripts")]

import environments  # noqa: E402

OPSETS = (10, 11, 13, 18, 19, 22)
MODES = ("nearest", "linear", "cubic")
COORDINATES = (
    *("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"),
    *("tf_half_pixel_for_nn", "tf_crop_and_resize"),
)
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
SHAPE = (1, 3, 9, 7)
# What the last two axes become, by sizes or by scales.
TARGETS = {
    "sizes": [(13, 15), (5, 3), (5, 16), (18, 14)],
    "scales": [(2, 2), (1.5, 1.6), (0.6, 0.5)],
}
LIMIT = 1e-5


@dataclasses.dataclass(frozen=True)
class Combination:
    """A Resize: its opset, its attributes, and the last two axes by ``sizes`` or ``scales``."""

    opset: int
    attributes: dict
    kind: str
    target: tuple

    @property
    def row(self):
        """Of the table: mode and coordinate mode."""
        return self.attributes["mode"], self.attributes.get("coordinate_transformation_mode", "(opset 10)")


def combinations():
    """Yield :class:`Combination` entries, whatever the specification says of them."""
    targets = [(kind, target) for kind, found in TARGETS.items() for target in found]
    for opset, mode in itertools.product(OPSETS, MODES):
        for coordinates in COORDINATES if opset > 10 else [None]:
            for more in _more(mode, opset, coordinates) if coordinates else [{}]:
                chosen = {"coordinate_transformation_mode": coordinates} if coordinates else {}
                for kind, target in targets if coordinates else targets[-len(TARGETS["scales"]) :]:
                    if kind == "sizes" or "keep_aspect_ratio_policy" not in more:
                        yield Combination(opset, {"mode": mode, **chosen, **more}, kind, target)


def _more(mode, opset, coordinates):
    if mode == "nearest":
        return [{"nearest_mode": rounding} for rounding in ROUNDINGS]
    options = [{}]
    if mode == "cubic":
        options = [{}, {"cubic_coeff_a": -0.5}, {"exclude_outside": 1}]
    if coordinates == "tf_crop_and_resize":
        options.append({"extrapolation_value": 2.5})
    if opset > 17:
        options += [{**one, "antialias": 1} for one in options]
        options += [{"keep_aspect_ratio_policy": policy} for policy in ("not_larger", "not_smaller")]
    return options


def model(chosen):
    """Return a ModelProto of combinations of one opset: a convolution, each Resize, and a convolution after each."""
    import numpy as np
    from onnx import helper, numpy_helper

    random = np.random.RandomState(0)
    constants = {name: random.randn(3, 3, 3, 3).astype(np.float32) / 3 for name in ("before", "after")}
    nodes = [helper.make_node("Conv", ["x", "before"], ["x0"], "before", pads=[1] * 4)]
    for number, one in enumerate(chosen):
        policy = "keep_aspect_ratio_policy" in one.attributes
        whole = one.target if policy else ((1, 1) if one.kind == "scales" else SHAPE[:2]) + one.target
        name = f"{one.kind}{number}"
        constants[name] = np.array(whole, np.float32 if one.kind == "scales" else np.int64)
        inputs = ["x0", "", name] if one.kind == "scales" else ["x0", "", "", name]
        if one.opset < 11:
            inputs = ["x0", name]
        elif one.attributes["coordinate_transformation_mode"] == "tf_crop_and_resize":
            inputs[1] = f"roi{number}"
            regions = [0.1, -0.1, 0.9, 0.8] if policy else [0, 0, 0.1, -0.1, 1, 1, 0.9, 0.8]
            constants[inputs[1]] = np.array(regions, np.float32)
        options = {**one.attributes, **({"axes": [2, 3]} if policy else {})}
        nodes += [
            helper.make_node("Resize", inputs, [f"x{number}/resized"], f"resize{number}", **options),
            helper.make_node("Conv", [f"x{number}/resized", "after"], [f"y{number}"], f"after{number}", pads=[1] * 4),
        ]
    outputs = [helper.make_tensor_value_info(f"y{number}", 1, None) for number in range(len(chosen))]
    initializers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "m", [helper.make_tensor_value_info("x", 1, SHAPE)], outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", chosen[0].opset)], ir_version=8)


def expected(one, x):
    """Return what ONNX Runtime makes of a combination, None where it does not run it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        content = model([one]).SerializeToString()
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    except Exception:
        return None


def judged(chosen, arrays, x, folder):
    """Yield a combination, ``right``, ``refused`` or ``wrong``, and why; refused ones are tried alone."""
    import numpy as np
    import onnx
    import tensorflow as tf

    from zoomill.errors import UserError
    from zoomill.sources import onnx_source

    onnx.save(model(chosen), os.path.join(folder, "model.onnx"))
    try:
        source = onnx_source.load(folder, {"path": "model.onnx"}, {"inputs": [], "outputs": []})
    except UserError as error:
        if len(chosen) > 1:
            for part in (slice(len(chosen) // 2), slice(len(chosen) // 2, None)):
                yield from judged(chosen[part], arrays[part], x, folder)
        else:
            yield chosen[0], "refused" if "Resize resize0" in str(error) else "wrong", str(error)
        return
    with tf.Graph().as_default(), tf.compat.v1.Session() as running:
        tf.import_graph_def(source.graph, name="")
        feed = {source.inputs[0].tensor: np.transpose(x, (0, 2, 3, 1))}
        results = running.run([output.tensor for output in source.outputs], feed)
    for one, array, found in zip(chosen, arrays, results, strict=True):
        right = np.transpose(array, (0, 2, 3, 1))
        share = np.abs(found - right).max() / np.abs(right).max() if found.shape == right.shape else np.inf
        yield one, "right" if share <= LIMIT else "wrong", f"{share:.1e}"


def main(argv=None):
    """Print the table; exit with 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args(argv)
    import numpy as np

    from zoomill import tables

    x = np.random.RandomState(1).standard_normal(SHAPE).astype(np.float32)
    groups, counts = collections.defaultdict(list), collections.defaultdict(collections.Counter)
    for one in itertools.islice(combinations(), 0, None, args.every):
        if (array := expected(one, x)) is not None:
            policy = "keep_aspect_ratio_policy" in one.attributes
            groups[one.opset, *(() if args.every > 1 else one.row), policy].append((one, array))
    with tempfile.TemporaryDirectory() as folder:
        for group in groups.values():
            for one, verdict, why in judged(*map(list, zip(*group, strict=True)), x, folder):
                counts[one.row][verdict] += 1
                if verdict != "right":
                    print(verdict, *dataclasses.astuple(one), why, file=sys.stderr)
    columns = ("right", "refused", "wrong")
    rows = [(*key, *(str(count[column]) for column in columns)) for key, count in sorted(counts.items())]
    total = [str(sum(count[column] for count in counts.values())) for column in columns]
    print(tables.markdown([("mode", "coordinates", *columns), *rows, ("all", "", *total)]), end="")
    sys.exit(total[-1] != "0")


if __name__ == "__main__":
    python = environments.python_of("onnx")
    if Path(sys.executable).parent != python.parent:
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": ""}
        os.execve(python, [str(python), *sys.argv], {**os.environ, **quiet})
    main()
