"""Export an SSD checkpoint of the TF1 Object Detection API: graph, contract, golden outputs and anchors.

Writes into ``--output-dir``: ``graph.pb`` (raw heads, no post-processing), ``saved_model``, ``contract.json``,
``golden.npz``, ``anchors.npy`` (float32 ``[anchors, 4]``: ycenter, xcenter, height, width) and ``anchors.txt`` (the
same, one anchor a line).
"""

import argparse
import io
import os

import numpy as np

from zoomill import (
    anchors,
    checkpoint,
    command,
    contract,
    files,
    golden,
    made,
    pipeline_config,
    postprocess,
    predictions,
    saved_model,
    ssd_graph,
)
from zoomill.errors import UserError
from zoomill.preprocess import read_picture


def main(argv=None):
    """Export the graph that the flags name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--source", type=made.checked, required=True, help="folder with the fetched files")
    parser.add_argument("--frozen-graph", default="frozen_inference_graph.pb", help="its name in the folder")
    parser.add_argument("--pipeline-override", default="", help="protobuf text merged into pipeline.config")
    parser.add_argument(
        "--golden-images", type=made.checked, nargs="*", default=[], help="pinned pictures; synthetic ones without"
    )
    parser.add_argument("--labels", nargs="*", default=[], help="class names without the background")
    parser.add_argument("--output-dir", required=True)
    predictions.add_arguments(parser)
    args = parser.parse_args(argv)
    try:
        export(args)
    except UserError as error:
        raise UserError(f"{args.model}: {error}") from error


def export(args):
    """Write the files named above."""
    prefix, frozen, config = (
        os.path.join(args.source, name) for name in ("model.ckpt", args.frozen_graph, "pipeline.config")
    )
    ssd, use_moving_averages = pipeline_config.read_pipeline(config, args.pipeline_override)
    if args.labels and len(args.labels) != ssd.num_classes:
        raise UserError(f"the card has {len(args.labels)} labels, but {config} says num_classes {ssd.num_classes}")
    graph, variables, origin = checkpoint.read_graph(prefix, frozen, use_moving_averages)
    heads = ssd_graph.find_heads(graph, origin)
    cut, feature_maps = ssd_graph.cut(graph, heads, ssd, variables, origin)
    shape = ssd_graph.input_shape(ssd)
    corners = anchors.ssd_anchors(ssd.anchor_generator.ssd_anchor_generator, feature_maps, shape[1:3])

    source = golden.Source(frozen, prefix)
    size = shape[1:3]
    if args.samples:
        predict(args, source, size, ssd.post_processing)
        return
    images = (
        [read_picture(path) for path in args.golden_images] if args.golden_images else golden.synthetic_images(4, *size)
    )
    outputs = source.outputs(images)
    outputs[ssd_graph.SCORES] = golden.convert_scores(outputs.pop("logits"), ssd.post_processing)
    if "anchors" in outputs and not np.array_equal(outputs["anchors"], corners):
        raise UserError(
            f"{origin}: its own anchors are not those of ssd_anchor_generator; was the pipeline.config edited?"
        )
    centred = anchors.center_size(corners)
    promises = contract.detection_heads(
        args.model, shape, source.value_range(*size), len(centred), args.labels, postprocess.Options.from_pipeline(ssd)
    )
    if os.path.exists(config):
        ssd, _ = pipeline_config.read_pipeline(config)
    promises["source_postprocess"] = vars(postprocess.Options.from_pipeline(ssd))
    write(args.output_dir, cut, outputs, centred, promises)


def predict(args, source, size, post_processing):
    """Write ``predictions.npz``: the raw heads, and the source's own detections, with classes from 0 as in TFLite."""

    def run(value):
        found = source.outputs([value[0]])
        result = {name: array for name, array in found.items() if name == ssd_graph.BOXES or "detection" in name}
        result[ssd_graph.SCORES] = golden.convert_scores(found["logits"], post_processing)
        if "detection_classes" in result:
            result["detection_classes"] -= 1
        return result

    promise = {"name": "image", "dtype": "uint8", "shape": [1, *size, 3]}
    promise.update(layout="NHWC", colour="RGB", value_range=[0, 255])
    predictions.write(os.path.join(args.output_dir, "predictions.npz"), args, promise, run, batched=False)


def write(folder, graph, outputs, centred, promises):
    """Write all of it, the contract last."""
    path = os.path.join(folder, "{}").format
    files.write_bytes(path("graph.pb"), graph.SerializeToString(deterministic=True))
    saved_model.write(path("saved_model"), graph, promises)
    files.write_bytes(path("golden.npz"), _saved(np.savez, **outputs))
    files.write_bytes(path("anchors.npy"), _saved(np.save, centred))
    lines = (" ".join(repr(float(value)) for value in anchor) for anchor in centred)
    files.write_bytes(path("anchors.txt"), "".join(f"{line}\n" for line in lines).encode())
    files.write_json(path("contract.json"), promises)


def _saved(save, *args, **kwargs):
    """Return what ``np.save`` or ``np.savez`` writes, as bytes."""
    buffer = io.BytesIO()
    save(buffer, *args, **kwargs)
    return buffer.getvalue()


if __name__ == "__main__":
    command.run(main)
