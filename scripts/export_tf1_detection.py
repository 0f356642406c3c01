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

from zoomill import command, files, framework, label_files, made
from zoomill.detection import anchors, head_names, postprocess, ssd_contract
from zoomill.errors import UserError
from zoomill.graph import golden_inputs, predictions, saved_model
from zoomill.graph.graph_def import activation
from zoomill.inputs import drawn_pictures, sample_inputs
from zoomill.inputs.preprocess import read_picture
from zoomill.inspect import allowed, allowed_operators
from zoomill.sources import checkpoint
from zoomill.sources.tf1_detection import golden, pipeline_config, recovered, ssd_graph


def main(argv=None):
    """Export the graph that the flags name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--source", type=made.checked, required=True, help="folder with the fetched files")
    parser.add_argument("--frozen-graph", default="frozen_inference_graph.pb", help="its name in the folder")
    parser.add_argument("--pipeline-override", default="", help="protobuf text merged into pipeline.config")
    golden_inputs.add_arguments(parser)
    parser.add_argument(
        "--labels", type=json.loads, default=[], help="JSON: class names without the background, or their file"
    )
    parser.add_argument("--about", type=json.loads, default={}, help="JSON object: title, task, licence of the model")
    parser.add_argument("--postprocess", type=json.loads, default={}, help="JSON object: options for all graphs")
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
    args.labels = label_files.of_card({"labels": args.labels, "label_offset": 0}, args.source)["labels"]
    averages = pipeline_config.use_moving_averages(config, args.pipeline_override)
    graph, variables, origin = checkpoint.read_graph(prefix, frozen, averages)
    heads = ssd_graph.find_heads(graph, origin)
    told = None if os.path.exists(config) else tell(graph, heads, origin, args.pipeline_override)
    ssd, _ = pipeline_config.read_pipeline(config, args.pipeline_override, told)
    shape = ssd_graph.input_shape(ssd)
    check_given(args.labels, ssd, recovered.size(graph), config, origin)
    allowed_operators.checked(graph, [heads.boxes, heads.logits], origin, args.allow)
    cut, feature_maps = ssd_graph.cut(graph, heads, ssd, variables, origin)

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
    loose = told is not None and ssd.anchor_generator == told.anchor_generator
    corners = corners_of(ssd, feature_maps, size, outputs.get("anchors"), loose, origin)
    centred = anchors.center_size(corners)
    promises = ssd_contract.detection_heads(
        *(args.model, shape, source.value_range(*size), len(centred), args.labels),
        *(options_of(ssd, args.postprocess), ssd.add_background_class),
    )
    promises |= args.about
    if told is not None:
        line = pipeline_config.line(told)
        promises["notes"] = [f"there is no pipeline.config; the source's graph tells: {line}"]
    for promise in promises["outputs"]:
        promise["activation"] = activation(cut, promise["tensor"], {head_names.INPUT})
    own = source.postprocess()
    if own:
        check_source(own, config, args.pipeline_override, source.origin, told)
        promises["source_postprocess"] = vars(own)
    write(args.output_dir, cut, outputs, centred, promises)


def options_of(ssd, card):
    """Return the :class:`zoomill.detection.postprocess.Options` of the pipeline with those that the card sets."""
    options = dataclasses.replace(postprocess.Options.from_pipeline(ssd), **card)
    if options.num_classes != ssd.num_classes:
        raise UserError(f"num_classes {options.num_classes} in the card, but the class head has {ssd.num_classes}")
    return options


def tell(graph, heads, origin, override):
    """Return and print the ``ssd`` message that a graph tells; None where it does not and there is an override."""
    try:
        told = recovered.pipeline(graph, heads, origin)
    except UserError:
        if override:
            return None
        raise
    print(f"{origin}: there is no pipeline.config; its graph tells:\n{told}", end="")
    return told


def check_given(labels, ssd, told, config, origin):
    """Refuse a card or a pipeline that is not of this graph.

    Args:
        labels: class names without the background; may be empty.
        ssd: the pipeline's ``ssd`` message.
        told: height and width that the graph itself brings pictures to, or None.
        config: path of pipeline.config.
        origin: file name for error messages.
    """
    if labels and len(labels) != ssd.num_classes:
        raise UserError(f"the card has {len(labels)} labels, but {config} says num_classes {ssd.num_classes}")
    asked = tuple(ssd_graph.input_shape(ssd)[1:3])
    if told and told != asked:
        raise UserError(
            f"{origin}: brings pictures to {told[0]} × {told[1]}, but pipeline.config or the card's pipeline_override "
            f"says {asked[0]} × {asked[1]}; correct the image_resizer"
        )


def corners_of(ssd, feature_maps, size, own, loose, origin):
    """Return the anchors, float32 ``[anchors, 4]``: ymin, xmin, ymax, xmax.

    Args:
        ssd: the pipeline's ``ssd`` message.
        feature_maps: ``[(height, width), …]`` of the prediction layers.
        size: height and width of the network's input.
        own: the anchors of the source's graph, or None.
        loose: whether nobody but the graph itself says what its anchors are; then they count, whatever made them.
        origin: file name for error messages.
    """
    if own is not None and (loose or not ssd.anchor_generator.HasField("ssd_anchor_generator")):
        return own
    if not ssd.anchor_generator.HasField("ssd_anchor_generator"):
        raise UserError(f"{origin}: its graph holds no anchors; give pipeline.config or pipeline_override")
    corners = anchors.ssd_anchors(ssd.anchor_generator.ssd_anchor_generator, feature_maps, size)
    if own is not None and not np.array_equal(own, corners):
        raise UserError(
            f"{origin}: its own anchors are not those of ssd_anchor_generator; was the pipeline.config edited?"
        )
    return corners


def pictures(given, scores_of, size):
    """Return the golden pictures: those of the card, or those samples or drawn ones in which the source finds much."""
    if given.images:
        return [read_picture(path) for path in given.images]
    if given.samples:
        sampled = [picture for picture, _ in given.read_samples()]
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


def check_source(own, config, override, origin, told=None):
    """Refuse a description that is not that of the source's graph.

    Args:
        own: :class:`zoomill.detection.postprocess.Options` of the graph's own post-processing.
        config: path of pipeline.config.
        override: the card's pipeline_override; without a pipeline.config it describes the source, but for the score
            threshold and the number of detections, which cut a list and change nothing else.
        origin: file name for error messages.
        told: what the graph has told in place of pipeline.config, or None.
    """
    described = os.path.exists(config)
    ssd, _ = pipeline_config.read_pipeline(config, "" if described else override, told)
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
