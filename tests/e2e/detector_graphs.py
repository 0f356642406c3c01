"""Export variants of the starter detector, made by editing its frozen graph, in one TensorFlow process.

Usage: python detector_graphs.py ARCHIVE PICTURE FOLDER — of the starter's checkpoint, for golden outputs, and to write
into: for each variant ``<name>/source``, and ``<name>/main`` as export_tf1_detection.py writes it, or
``<name>/error.txt``; ``<name>/log.txt`` is what was printed.
"""

import contextlib
import io
import pathlib
import re
import sys
import tarfile

import numpy as np

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
FROZEN = "frozen_inference_graph.pb"
WRONG_SIZE = "model { ssd { image_resizer { fixed_shape_resizer { height: 300 width: 160 } } } }"


def as_it_is(tf, nodes):
    """Leave the graph alone."""


def folded(tf, nodes):
    """Make the anchors one constant, as optimised graphs have them, and nothing that tells how they were made."""
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.import_graph_def(tf.compat.v1.GraphDef(node=nodes.values()), name="")
        value = session.run(
            "Concatenate/concat:0", {graph.get_tensor_by_name("image_tensor:0"): np.zeros((1, 9, 9, 3))}
        )
    _set(tf, nodes["Concatenate/concat"], value)


def one_layer(tf, nodes):
    """Keep the first prediction layer only; of one tensor TensorFlow's concat makes an Identity."""
    for name, kept in (("concat", "BoxPredictor_0/Reshape"), ("concat_1", "BoxPredictor_0/Reshape_1")):
        _identity(nodes[name], kept)
        nodes[name].name = f"{name}/concat"
    _identity(nodes["Concatenate/concat"], "MultipleGridAnchorGenerator/Identity")
    _identity(nodes["MultipleGridAnchorGenerator/Identity"], nodes["MultipleGridAnchorGenerator/Identity"].input[0])
    for node in nodes.values():
        node.attr.pop("_class", None)
        node.name = node.name.replace("BoxPredictor_0/", "Only/")
        renamed = [re.sub("^(concat(_1)?)$", r"\1/concat", tensor) for tensor in node.input]
        node.ClearField("input")
        node.input.extend(tensor.replace("BoxPredictor_0/", "Only/") for tensor in renamed)


def no_background(tf, nodes):
    """Take the background's filters out of the class heads, and the slice that drops its column."""
    for name, node in nodes.items():
        if re.fullmatch("BoxPredictor_./ClassPredictor/(weights|biases)", name):
            value = tf.make_ndarray(node.attr["value"].tensor)
            parts = value.reshape(*value.shape[:-1], -1, 4)[..., 1:]
            _set(tf, node, parts.reshape(*value.shape[:-1], -1))
        if re.fullmatch("BoxPredictor_./Reshape_1/shape/2", name):
            _set(tf, node, np.int32(3))
    _identity(nodes["Postprocessor/Slice"], nodes["Postprocessor/Slice"].input[0])


def training(tf, nodes):
    """Normalise by the batch, as a training does."""
    for node in nodes.values():
        if node.op.startswith("FusedBatchNorm"):
            node.attr["is_training"].b = True


def other_coder(tf, nodes):
    """Multiply box encodings where faster_rcnn_box_coder divides, as mean_stddev_box_coder does."""
    for name in nodes:
        if re.fullmatch("Postprocessor/Decode/truediv(_[1-3])?", name):
            nodes[name].op = "Mul"


def computed_size(tf, nodes):
    """Resize to a size that depends on the picture."""
    (resize,) = (node for name, node in nodes.items() if node.op == "ResizeBilinear" and name.startswith("Preproc"))
    nodes[resize.input[1]].op = "Placeholder"


WIDER = """model { ssd { anchor_generator { ssd_anchor_generator { aspect_ratios: 1 aspect_ratios: 4 } }
  post_processing { batch_non_max_suppression { score_threshold: 0.5 } } } }"""
CUT_SHORT = "model { ssd { post_processing { batch_non_max_suppression { score_threshold: 0.5 } } } }"
VARIANTS = {
    "described": (as_it_is, True, []),
    "alone": (as_it_is, False, []),
    "folded": (folded, False, []),
    "one_layer": (one_layer, False, []),
    "no_background": (no_background, False, []),
    "training": (training, True, []),
    "other_coder": (other_coder, False, []),
    "computed_size": (computed_size, False, []),
    "overridden": (as_it_is, False, ["--pipeline-override", CUT_SHORT]),
    "other_anchors": (as_it_is, False, ["--pipeline-override", WIDER]),
    "wrong_size": (as_it_is, False, ["--pipeline-override", WRONG_SIZE]),
    "checkpoint_of_a_training": (None, True, []),
}


def _identity(node, tensor):
    node.op = "Identity"
    node.ClearField("input")
    node.input.append(tensor)
    for key in [key for key in node.attr if key != "T"]:
        del node.attr[key]


def _set(tf, node, value):
    node.op = "Const"
    node.ClearField("input")
    node.ClearField("attr")
    node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))


def main(archive, picture, folder):
    """Write and export all variants."""
    sys.path.insert(0, str(SCRIPTS))
    import tensorflow as tf

    import export_tf1_detection
    from zoomill.errors import UserError

    with tarfile.open(archive) as tar:
        (prefix,) = (name.rpartition("/")[0] for name in tar.getnames() if name.endswith(FROZEN))
        frozen, config = (tar.extractfile(f"{prefix}/{name}").read() for name in (FROZEN, "pipeline.config"))
    for name, (edit, described, more) in VARIANTS.items():
        source = pathlib.Path(folder, name, "source")
        source.mkdir(parents=True)
        graph = tf.compat.v1.GraphDef.FromString(frozen)
        if edit:
            edit(tf, {node.name: node for node in graph.node})
            (source / FROZEN).write_bytes(graph.SerializeToString())
        else:
            (source / "model.ckpt-20000.meta").touch()
        if described:
            (source / "pipeline.config").write_bytes(config)
        target, printed = str(source.parent / "main"), io.StringIO()
        flags = ["--model", name, "--source", str(source), "--output-dir", target, "--golden-images", picture, *more]
        with contextlib.redirect_stdout(printed):
            try:
                export_tf1_detection.main(flags)
            except UserError as error:
                (source.parent / "error.txt").write_text(str(error))
        (source.parent / "log.txt").write_text(printed.getvalue())


if __name__ == "__main__":
    main(*sys.argv[1:])
