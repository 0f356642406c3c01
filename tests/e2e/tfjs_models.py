"""Make SavedModels that TensorFlow.js's converter has trouble with, all in one TensorFlow process.

Usage: python tfjs_models.py FOLDER — makes FOLDER/<kind>/ for each function in KINDS.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf

RANDOM = np.random.RandomState(0)


def variable(*shape):
    """Return a variable with fixed random values."""
    return tf.Variable(RANDOM.randn(*shape).astype(np.float32))


class Heads(tf.Module):
    """Boxes [batch, 64, 4] and scores [batch, 64, 5] of a picture [batch, 16, 16, 3]."""

    def __init__(self):
        self.boxes, self.scores = variable(4, 4, 3, 16), variable(4, 4, 3, 20)

    def heads(self, image):
        corners = tf.reshape(tf.nn.conv2d(image, self.boxes, 4, "SAME"), [-1, 64, 2, 2]) * 0.2
        low = tf.sigmoid(corners[:, :, 0]) * 0.9
        boxes = tf.concat([low, low + 0.05 + 0.3 * tf.sigmoid(corners[:, :, 1])], 2)
        return boxes, tf.sigmoid(tf.reshape(tf.nn.conv2d(image, self.scores, 4, "SAME"), [-1, 64, 5]))


class Detector(Heads):
    """Eight outputs, of which five have the shape [1, 10] or [1, 64, 5] of another."""

    @tf.function(input_signature=[tf.TensorSpec([1, 16, 16, 3], name="image")])
    def __call__(self, image):
        boxes, scores = self.heads(image)

        def suppress(heads):
            one_boxes, one_scores = heads
            chosen, kept, _ = tf.raw_ops.NonMaxSuppressionV5(
                boxes=one_boxes,
                scores=tf.reduce_max(one_scores, 1),
                max_output_size=10,
                iou_threshold=0.5,
                score_threshold=0.1,
                soft_nms_sigma=0.0,
                pad_to_max_output_size=True,
            )
            rows = tf.gather(one_scores, chosen)
            classes = tf.cast(tf.argmax(rows, 1), tf.float32) + 1
            count = tf.reduce_sum(tf.cast(kept > 0, tf.float32))
            return tf.gather(one_boxes, chosen), kept, classes, tf.cast(chosen, tf.float32), rows, count

        found = tf.map_fn(suppress, (boxes, scores), fn_output_signature=(tf.float32,) * 6)
        names = ("boxes", "scores", "classes", "anchor_indices", "multiclass_scores")
        result = {f"detection_{name}": value for name, value in zip(names, found, strict=False)}
        return {
            **result,
            "num_detections": found[5],
            "raw_detection_boxes": boxes,
            "raw_detection_scores": scores,
        }


class Combined(Heads):
    """Detections of an operator that TensorFlow.js lacks."""

    @tf.function(input_signature=[tf.TensorSpec([1, 16, 16, 3], name="image")])
    def __call__(self, image):
        boxes, scores = self.heads(image)
        found = tf.image.combined_non_max_suppression(boxes[:, :, None], scores, 4, 12, 0.4, 0.3)
        return dict(zip(("boxes", "scores", "classes", "valid"), found, strict=True))


class Loop(tf.Module):
    """A loop."""

    def __init__(self):
        self.kernel = variable(6, 6)

    @tf.function(input_signature=[tf.TensorSpec([1, 6], name="vector")])
    def __call__(self, vector):
        def step(count, value):
            return count + 1, tf.tanh(value @ self.kernel)

        return {"state": tf.while_loop(lambda count, _: count < 3, step, (0, vector))[1]}


class Ensured(tf.Module):
    """A shape that is promised again."""

    def __init__(self):
        self.kernel = variable(6, 3)

    @tf.function(input_signature=[tf.TensorSpec([None, 6], name="vector")])
    def __call__(self, vector):
        hidden = tf.ensure_shape(tf.tanh(vector @ self.kernel), [1, 3])
        return {"hidden": tf.ensure_shape(hidden * 2, [1, 3])}


class Masked(tf.Module):
    """Numbers of less than one as truth values, which the NMS of the Object Detection API asks for."""

    @tf.function(input_signature=[tf.TensorSpec([1, 6], name="vector")])
    def __call__(self, vector):
        return {"kept": vector * tf.cast(tf.cast(vector, tf.bool), tf.float32)}


class Upsampling(tf.Module):
    """The block of a U-Net: transposed convolution, batch norm, ReLU."""

    def __init__(self):
        self.kernel, self.scale, self.shift = variable(4, 4, 8, 3), variable(8), variable(8)
        self.mean, self.spread = variable(8), tf.Variable(tf.abs(variable(8)) + 0.5)
        self.last = variable(1, 1, 8, 2)

    @tf.function(input_signature=[tf.TensorSpec([1, 8, 8, 3], name="image")])
    def __call__(self, image):
        wide = tf.nn.conv2d_transpose(image, self.kernel, [1, 16, 16, 8], 2)
        settings = {"epsilon": 1e-3, "is_training": False}
        normed, *_ = tf.compat.v1.nn.fused_batch_norm(wide, self.scale, self.shift, self.mean, self.spread, **settings)
        return {"picture": tf.tanh(tf.nn.conv2d(tf.nn.relu(normed), self.last, 1, "SAME"))}


class Products(tf.Module):
    """Einsum of one and two tensors, and sums of two products, one with an activation."""

    def __init__(self):
        self.heads, self.kernel, self.recurrent = variable(3, 6, 2, 4), variable(6, 5), variable(6, 5)

    @tf.function(input_signature=[tf.TensorSpec([1, 7, 6], name="sequence")])
    def __call__(self, sequence):
        def einsum(equation, *tensors):
            return tf.raw_ops.Einsum(inputs=tensors, equation=equation)

        query, key, value = (einsum("abc,cde->abde", sequence, heads) for heads in tf.unstack(self.heads))
        weights = tf.nn.softmax(einsum("aecd,abcd->acbe", key, query))
        first, last = sequence[:, 0], sequence[:, -1]
        return {
            "attention": einsum("acbe,aecd->abcd", weights, value),
            "totals": einsum("...ab->b...", sequence),
            "norms": einsum("abc,abc->b", sequence, sequence),
            "outer": einsum("...b,...c->...bc", sequence, key[:, :, 0]),
            "state": tf.matmul(first, self.kernel) + tf.matmul(last, self.recurrent),
            "gate": tf.nn.relu(tf.matmul(last, self.kernel) + tf.matmul(first, self.recurrent)),
        }


KINDS = {
    "detector": Detector,
    "combined": Combined,
    "loop": Loop,
    "ensured": Ensured,
    "masked": Masked,
    "upsampling": Upsampling,
    "products": Products,
}

if __name__ == "__main__":
    for kind, module in KINDS.items():
        made = module()
        signature = made.__call__.get_concrete_function()
        tf.saved_model.save(made, str(pathlib.Path(sys.argv[1]) / kind), signatures=signature)
