"""Export an SSD checkpoint of the TF1 Object Detection API: graph, contract, golden outputs and anchors.

Writes into ``--output-dir``: ``graph.pb`` (raw heads, no post-processing), ``saved_model``, ``contract.json``,
``golden.npz``, ``anchors.npy`` (float32 ``[anchors, 4]``: ycenter, xcenter, height, width) and ``anchors.txt`` (the
same, one anchor a line).
"""

import argparse
import dataclasses
import io
import json
import os

import numpy as np

from zoomill import command, files, framework, made
from zoomill.detection import anchors, head_names, postprocess, ssd_contract
from zoomill.errors import UserError
from zoomill.graph import golden_inputs, predictions, saved_model
from zoomill.graph.graph_def import activation
from zoomill.inputs import drawn_pictures, sample_inputs
from zoomill.inputs.preprocess import read_picture
from zoomill.inspect import allowed, allowed_operators
from zoomill.sources import checkpoint
from zoomill.sources.tf1_detection import golden, pipeline_config, ssd_graph


def main(argv=None):
    """Export the graph that the flags name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--source", type=made.checked, required=True, help="folder with the fetched files")
    parser.add_argument("--frozen-graph", default="frozen_inference_graph.pb", help="its name in the folder")
    parser.add_argument("--pipeline-override", default="", help="protobuf text merged into pipeline.config")
    golden_inputs.add_arguments(parser)
    parser.add_argument("--labels", type=json.loads, default=[], help="JSON list: class names without the background")
    parser.add_argument("--output-dir", type=made.output_folder, required=True)
    sample_inputs.add_arguments(parser, "write predictions.npz of these and nothing else")
    allowed.add_argument(parser)
    args = command.parse(parser, argv)
    with framework.naming(args.model):
        export(args)


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
    allowed_operators.checked(graph, [heads.boxes, heads.logits], origin, args.allow)
    cut, feature_maps = ssd_graph.cut(graph, heads, ssd, variables, origin)
    shape = ssd_graph.input_shape(ssd)
    corners = anchors.ssd_anchors(ssd.anchor_generator.ssd_anchor_generator, feature_maps, shape[1:3])

    source = golden.Source(frozen, prefix, args.allow)
    size = shape[1:3]
    if samples := sample_inputs.of_flags(args):
        predict(args.output_dir, samples, source, size, ssd.post_processing)
        return

    def run(images):
        found = source.outputs(images)
        return found | {head_names.SCORES: golden.convert_scores(found.pop("logits"), ssd.post_processing)}

    def found(images):
        return clear_scores(run(images)[head_names.SCORES][:, :, -ssd.num_classes :])

    outputs = run(pictures(golden_inputs.of_flags(args), found, size))
    if "anchors" in outputs and not np.array_equal(outputs["anchors"], corners):
        raise UserError(
            f"{origin}: its own anchors are not those of ssd_anchor_generator; was the pipeline.config edited?"
        )
    centred = anchors.center_size(corners)
    promises = ssd_contract.detection_heads(
        args.model, shape, source.value_range(*size), len(centred), args.labels, postprocess.Options.from_pipeline(ssd)
    )
    for promise in promises["outputs"]:
        promise["activation"] = activation(cut, promise["tensor"], {head_names.INPUT})
    own = source.postprocess()
    if own:
        check_source(own, config, args.pipeline_override, source.origin)
        promises["source_postprocess"] = vars(own)
    write(args.output_dir, cut, outputs, centred, promises)


def pictures(given, scores_of, size):
    """Return the golden pictures: those of the card, or those samples or drawn ones in which the source finds much."""
    if given.images:
        return [read_picture(path) for path in given.images]
    if given.samples:
        sampled = given.read_samples()
        chosen, _ = drawn_pictures.choose(scores_of, sampled)
        return [sampled[one] for one in sorted(chosen)]
    return drawn_pictures.detected(scores_of, *size)


def clear_scores(scores):
    """Return by how much some anchor's best class is ahead of its others, ``[images, classes]``.

    Args:
        scores: ``[images, anchors, classes]``, without the background.
    """
    falling = np.sort(scores, axis=2)[:, :, ::-1]
    second = falling[:, :, 1:2] if scores.shape[2] > 1 else 0
    return np.where(scores == falling[:, :, :1], scores - second, 0).max(axis=1)


def check_source(own, config, override, origin):
    """Refuse a description that is not that of the source's graph.

    Args:
        own: :class:`zoomill.detection.postprocess.Options` of the graph's own post-processing.
        config: path of pipeline.config.
        override: the card's pipeline_override; without a pipeline.config it describes the source, but for the score
            threshold and the number of detections, which cut a list and change nothing else.
        origin: file name for error messages.
    """
    described = os.path.exists(config)
    ssd, _ = pipeline_config.read_pipeline(config, "" if described else override)
    stated = postprocess.Options.from_pipeline(ssd)
    if not described:
        cut = {"nms_score_threshold": own.nms_score_threshold, "max_detections": own.max_detections}
        stated = dataclasses.replace(stated, **cut)
    named = config if described else "the card's pipeline_override"
    wrong = [
        f"{name} {getattr(own, name):g} where {named} says {said:g}"
        for name, said in vars(stated).items()
        if said != getattr(own, name)
    ]
    if wrong:
        raise UserError(
            f"{origin}: its own post-processing has {', '.join(wrong)}; correct it, and set options of the .tflite "
            "file by `postprocess` in the card"
        )


def predict(folder, samples, source, size, post_processing):
    """Write ``predictions.npz``: the raw heads, and the source's own detections, with classes from 0 as in TFLite."""

    def run(feed):
        found = source.outputs([feed["image"][0]])
        result = {name: array for name, array in found.items() if name == head_names.BOXES or "detection" in name}
        result[head_names.SCORES] = golden.convert_scores(found["logits"], post_processing)
        if "detection_classes" in result:
            result["detection_classes"] -= 1
        return result

    promise = {"name": "image", "tensor": "image", "dtype": "uint8", "shape": [1, *size, 3]}
    promise.update(layout="NHWC", colour="RGB", value_range=[0, 255])
    predictions.write(os.path.join(folder, "predictions.npz"), samples, [promise], run, batched=False)


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
