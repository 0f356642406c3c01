"""Export the inference graph of a TF1 detector as it is: pictures in, detections of its own NMS out."""

import argparse
import os

import numpy as np

from zoomill import command, files, framework, made
from zoomill.errors import UserError
from zoomill.graph import export, golden_inputs
from zoomill.graph.source import Source
from zoomill.inputs import drawn_pictures
from zoomill.inspect import allowed, allowed_operators
from zoomill.sources import checkpoint, freezing

_INPUT = "image_tensor"
_OUTPUTS = {
    "detection_boxes": "ymin, xmin, ymax, xmax of each detection, relative to the image",
    "detection_classes": "class of each detection, 1 is the first label",
    "detection_scores": "score of each detection, 0 to 1",
    "num_detections": "how many detections count",
}


def main(argv=None):
    """Write graph, contract and golden outputs for pictures of the size that the network takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--contract", type=made.checked, required=True, help="contract.json of detect_cut: model, size, labels"
    )
    parser.add_argument("--path", type=made.checked, required=True, help="frozen graph")
    golden_inputs.add_arguments(parser)
    parser.add_argument("--output-dir", type=made.output_folder, required=True)
    allowed.add_argument(parser)
    args = command.parse(parser, argv)
    cut, given = files.read_json(args.contract), golden_inputs.of_flags(args)
    with framework.naming(cut["model"]):
        source, expected = load(args.path, cut, args.allow, given)
        export.export(source, expected, given, args.output_dir, cut["model"], "inference")


def load(path, cut, allow, given):
    """Return the graph as a :class:`zoomill.graph.source.Source`, and what is known of its interface as in a card.

    Args:
        path: frozen graph.
        cut: contract of detect_cut.
        allow: names of operators that the card allows.
        given: :class:`zoomill.graph.golden_inputs.Given`.

    Raises:
        UserError: when the graph is not there, or holds operators that do more than compute.
    """
    if not os.path.exists(path):
        raise UserError(f"{path}: is not there; without its frozen graph, take detect_cut")
    promise = {"name": _INPUT, "shape": cut["inputs"][0]["shape"], "colour": "RGB", "value_range": [0, 255]}
    graph = checkpoint.read_frozen(path)
    graph = allowed_operators.checked(graph, [_INPUT, *_OUTPUTS], path, allow)
    inputs = freezing.graph_tensors(graph, {_INPUT: _INPUT}, path)
    outputs = freezing.graph_tensors(graph, {name: name for name in _OUTPUTS}, path)
    run = freezing.graph_session(graph, inputs, outputs, path)
    drawn = feeds(given, promise, run)
    rows = [{**feed, **run(feed)} for feed in drawn]
    expected = {
        "inputs": [promise],
        "outputs": [{"meaning": meaning, "shape": list(rows[0][name].shape)} for name, meaning in _OUTPUTS.items()],
        "labels": cut["labels"],
        "label_offset": 0,
        "postprocess": {"nms_score_threshold": cut["postprocess"]["nms_score_threshold"]},
    }
    return Source(graph, inputs, outputs, run, rows=rows, steady=full_lists(rows)), expected


def full_lists(rows):
    """Return the name of the count of detections, if the source's threshold is so low that its list is always full."""
    full = all(row["num_detections"][0] == row["detection_boxes"].shape[1] for row in rows)
    return ["num_detections"] if full else []


def feeds(given, promise, run):
    """Return pinned pictures, samples or drawn pictures as ``[{input name: uint8 [1, height, width, 3]}, …]``."""
    if given.images or given.samples:
        return golden_inputs.choose(given, [{**promise, "tensor": _INPUT, "dtype": "uint8", "layout": "NHWC"}], run)

    def best_scores(pictures):
        return np.stack([run({_INPUT: one[None]})["detection_scores"][0, :1] for one in pictures])

    return [{_INPUT: one[None]} for one in drawn_pictures.detected(best_scores, *promise["shape"][1:3])]


if __name__ == "__main__":
    command.run(main)
