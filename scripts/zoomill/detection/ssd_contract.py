"""The contract of a graph: what goes in, what comes out, and what it means.

A contract is a JSON object beside the graph. It is the only thing that preprocessing, validation and generated
code read to know how to feed a model:

- ``inputs``: name, dtype, shape, layout, colour order and ``value_range``, the values that 0 and 255 of an 8-bit
  picture become, linearly;
- ``outputs``: signature name, tensor name, dtype, shape and meaning; ``source``, the tensor of the source's frozen
  graph, ``Identity_k`` for the k-th of a signature's sorted keys; ``decode`` of a raw YOLO head, for
  :func:`zoomill.detection.yolo.decode`;
- ``labels``: class names without the background; ``label_offset``: what to add to an output's class number to get
  the number the data set uses;
- ``notes``: sentences about what differs from the source;
- ``title``, ``task`` and ``licence`` of the model's card;
- ``postprocess``: options of TFLite_Detection_PostProcess; in a graph without the op, what the pipeline asks for;
- ``source_postprocess``: those of the source model's own post-processing.
"""

import numpy as np

from zoomill.detection import head_names
from zoomill.detection.postprocess import OP

# Order and meaning of the op's outputs: tensorflow/lite/kernels/detection_postprocess.cc.
_DETECTIONS = (
    ("detection_boxes", "ymin, xmin, ymax, xmax of each detection, relative to the image", (4,)),
    ("detection_classes", "class of each detection, 0 is the first label", ()),
    ("detection_scores", "score of each detection, 0 to 1", ()),
    ("num_detections", "how many boxes count, each with max_classes_per_detection rows", None),
)


def detection_heads(model, shape, value_range, anchors, labels, options, background=True):
    """Return the contract of a detection graph that ends at its raw heads.

    Args:
        model: name of the model.
        shape: ``[1, height, width, channels]``.
        value_range: what 0 and 255 become: two arrays ``[channels]``.
        anchors: number of anchors.
        labels: class names without the background; may be empty.
        options: :class:`zoomill.detection.postprocess.Options`.
        background: whether the first column of the class head is that of the background.
    """
    low, high = (np.unique(end).tolist() for end in value_range)
    if len(low) > 1 or len(high) > 1:
        low, high = (end.tolist() for end in value_range)
    else:
        low, high = low[0], high[0]
    classes = options.num_classes + background
    return {
        "model": model,
        "graph": "detect_cut",
        "inputs": [
            {
                "name": head_names.INPUT,
                "tensor": head_names.INPUT,
                "dtype": "float32",
                "shape": list(shape),
                "layout": "NHWC",
                "colour": "RGB" if shape[3] == 3 else "GRAY",
                "value_range": [low, high],
            }
        ],
        "outputs": [
            _output("box_encodings", head_names.BOXES, [1, anchors, 4], "ty, tx, th, tw of each anchor, scaled"),
            _output(
                "class_predictions",
                head_names.SCORES,
                [1, anchors, classes],
                "score of each class, background first" if background else "score of each class",
            ),
        ],
        "labels": list(labels),
        "label_offset": 1,
        "postprocess": vars(options),
    }


def with_postprocess(contract, graph, options):
    """Return the contract of the same graph with TFLite_Detection_PostProcess behind its heads.

    Args:
        contract: what :func:`detection_heads` returned.
        graph: name of the new graph.
        options: :class:`zoomill.detection.postprocess.Options`.
    """
    rows = options.max_detections * options.max_classes_per_detection
    outputs = []
    for index, (name, meaning, shape) in enumerate(_DETECTIONS):
        tensor = f"{OP}:{index}" if index else OP
        outputs.append(_output(name, tensor, [1] if shape is None else [1, rows, *shape], meaning))
    return {**contract, "graph": graph, "outputs": outputs, "postprocess": vars(options)}


def _output(name, tensor, shape, meaning):
    return {"name": name, "tensor": tensor, "dtype": "float32", "shape": shape, "meaning": meaning}
