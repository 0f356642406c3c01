"""Golden inputs and outputs: the source model in its own framework, untouched by any export."""

import dataclasses
import os

import numpy as np

from zoomill.detection import head_names
from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.inspect import allowed_operators
from zoomill.sources import checkpoint
from zoomill.sources.tf1_detection import source_nms, ssd_graph

_DETECTIONS = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")


class Source:
    """An SSD of the TF1 Object Detection API, run by TensorFlow from its frozen graph or its meta graph.

    Args:
        frozen: path of frozen_inference_graph.pb; used where it exists.
        prefix: of the checkpoint whose meta graph is restored otherwise.
        allow: names of operators that the card allows.

    Raises:
        UserError: when the graph is no SSD, or holds operators that do more than compute.
    """

    def __init__(self, frozen, prefix, allow):
        import tensorflow as tf

        is_frozen = os.path.exists(frozen)
        self.origin = frozen if is_frozen else f"{prefix}.meta"
        graph = checkpoint.read_unfrozen(self.origin)
        self._heads = ssd_graph.find_heads(graph, self.origin)
        self._postprocess = source_nms.read(graph)
        wanted = [one for one in dataclasses.astuple(self._heads) if one]
        allowed_operators.checked(graph, [*wanted, *_DETECTIONS], self.origin, allow)
        for node in graph.node:
            node.device = ""
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph)
        with self._graph.as_default(), refusing(f"{self.origin}: TensorFlow cannot read it"):
            if is_frozen:
                tf.import_graph_def(graph, name="")
            else:
                checkpoint.restorer(graph, prefix, use_moving_averages=False)(self._session)
        self._image = self._placeholder()

    def _placeholder(self):
        """Return the one tensor that takes images."""
        placeholders = [op.outputs[0] for op in self._graph.get_operations() if op.type == "Placeholder"]
        if len(placeholders) != 1 or placeholders[0].shape.rank != 4:
            raise UserError(f"{self.origin}: has {len(placeholders)} inputs instead of one batch of images")
        return placeholders[0]

    def postprocess(self):
        """Return the options of the model's own post-processing that :mod:`source_nms` finds."""
        return self._postprocess

    def value_range(self, height, width):
        """Return what the model's own preprocessing makes of 0 and 255: two float32 arrays ``[channels]``."""
        ends = []
        for value in (0, 255):
            image = np.full((height, width, 3), value, np.uint8)
            ends.append(self._run(image, {"image": self._heads.image})["image"][0, 0, 0])
        return ends

    def outputs(self, images):
        """Run the model on each image.

        Args:
            images: list of RGB uint8 arrays ``[height, width, 3]`` of any size.

        Returns:
            ``{name: array}`` with one row for each image: the normalised image, the raw box encodings and class
            logits, and the model's own detections (boxes ymin, xmin, ymax, xmax relative; classes from 1; scores)
            where it has any; and ``anchors`` ``[anchors, 4]``, corners, where the graph computes them.
        """
        fetches = {head_names.INPUT: self._heads.image, head_names.BOXES: self._heads.boxes}
        fetches["logits"] = self._heads.logits
        names = {op.name for op in self._graph.get_operations()}
        if names.issuperset(_DETECTIONS):
            fetches.update({name: name for name in _DETECTIONS})
        runs = [self._run(image, fetches) for image in images]
        result = {name: np.concatenate([run[name] for run in runs]) for name in fetches}
        result[head_names.BOXES] = result[head_names.BOXES].reshape(len(images), -1, 4)
        if self._heads.anchors:
            result["anchors"] = self._run(images[0], {"anchors": self._heads.anchors})["anchors"].reshape(-1, 4)
        return result

    def _run(self, image, fetches):
        tensors = {name: self._graph.get_tensor_by_name(f"{node}:0") for name, node in fetches.items()}
        rows, columns = self._image.shape[1:3]
        if None not in (rows, columns) and image.shape[:2] != (rows, columns):
            from PIL import Image

            image = np.asarray(Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR))
        with refusing(f"{self.origin}: TensorFlow cannot run it"):
            feed = image[None].astype(self._image.dtype.as_numpy_dtype)
            return self._session.run(tensors, {self._image: feed})


def convert_scores(logits, post_processing):
    """Turn class logits into scores as the pipeline's score_converter does, by TensorFlow's own functions."""
    import tensorflow as tf

    scale = post_processing.logit_scale or 1
    functions = {0: tf.identity, 1: tf.sigmoid, 2: tf.nn.softmax}
    return functions[post_processing.score_converter](logits / np.float32(scale)).numpy()
