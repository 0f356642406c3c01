"""Train a small MobileNet on handwritten digits with TensorFlow 1 and slim; print its accuracy on the held-out ones.

    python -m starter.digits_slim.train --output .

writes digits_slim_graph.pb, the inference graph with its variables not frozen, and model.ckpt-<steps> with its .meta,
.index and .data-*, which holds every variable raw and as its moving average. Runs under Python 3.7.
"""

import argparse
import os

import numpy as np
from starter.digits import data

SIZE = 16
SEED = 4
STEPS = 2000
BATCH = 64
RATE = 2e-3
AVERAGE = 0.995
BLOCKS = (32, 1), (32, 2), (48, 1), (48, 2), (64, 1)


def inputs(images):
    """Return digits as the model takes them: float32 [n, 16, 16, 1], -1 to 1."""
    return (data.pictures(images, SIZE) / 127.5 - 1).astype(np.float32)


def score(predict):
    """Return the figures of the model's README.

    Args:
        predict: function from float32 [n, 16, 16, 1] to probabilities [n, 10].
    """
    return {"top-1": data.accuracy(predict, inputs)}


def network(pictures, training):
    """Return the logits [n, 10] and probabilities [n, 10] of pictures [n, 16, 16, 1]."""
    import tensorflow as tf
    from tensorflow.contrib import slim

    norm = {"is_training": training, "decay": 0.98, "scale": True}
    layers = [slim.conv2d, slim.separable_conv2d]
    scope = slim.arg_scope(layers, activation_fn=tf.nn.relu6, normalizer_fn=slim.batch_norm, normalizer_params=norm)
    with tf.variable_scope("DigitsNet"), scope:
        net = slim.conv2d(pictures, 16, 3, scope="Conv2d_0")
        for number, (filters, stride) in enumerate(BLOCKS, 1):
            net = slim.separable_conv2d(net, None, 3, 1, stride=stride, scope=f"Conv2d_{number}_depthwise")
            net = slim.conv2d(net, filters, 1, scope=f"Conv2d_{number}_pointwise")
        net = slim.avg_pool2d(net, net.shape[1:3], scope="AvgPool")
        net = slim.dropout(net, 0.8, is_training=training, scope="Dropout")
        net = slim.conv2d(net, 10, 1, activation_fn=None, normalizer_fn=None, scope="Logits")
        logits = tf.squeeze(net, [1, 2], name="SpatialSqueeze")
        return logits, slim.softmax(logits, scope="Predictions")


def placeholder():
    """Return the input of the graph."""
    import tensorflow as tf

    return tf.placeholder(tf.float32, [None, SIZE, SIZE, 1], name="input")


def moved(pictures, random):
    """Return pictures moved by up to one pixel each way."""
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)), "constant", constant_values=-1)
    corners = random.randint(0, 3, (len(pictures), 2))
    return np.stack([padded[n, y : y + SIZE, x : x + SIZE] for n, (y, x) in enumerate(corners)])


def trained():
    """Train; return the value of every variable and of its moving average, by name."""
    import tensorflow as tf
    from tensorflow.contrib import slim

    images, labels = data.load()[0]
    pictures, random = inputs(images), np.random.RandomState(SEED)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(SEED)
        feed, truth = placeholder(), tf.placeholder(tf.int64, [None])
        loss = tf.losses.sparse_softmax_cross_entropy(truth, network(feed, True)[0])
        step = tf.train.get_or_create_global_step()
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            descend = tf.train.AdamOptimizer(RATE).minimize(loss, step)
        averages = tf.train.ExponentialMovingAverage(AVERAGE, step)
        with tf.control_dependencies([descend]):
            train = averages.apply(slim.get_model_variables())
        session.run(tf.global_variables_initializer())
        for number in range(STEPS):
            rows = random.randint(0, len(labels), BATCH)
            _, now = session.run([train, loss], {feed: moved(pictures[rows], random), truth: labels[rows]})
            if number % 200 == 0:
                print(f"step {number}: loss {now:.4f}")
        kept = {v.op.name: v for v in slim.get_model_variables()}
        kept.update({averages.average_name(v): averages.average(v) for v in slim.get_model_variables()})
        return session.run(kept)


def main():
    """Train, save and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="folder to write to")
    flags = parser.parse_args()
    import tensorflow as tf
    from tensorflow.contrib import slim

    values = trained()
    with tf.Graph().as_default() as graph, tf.Session() as session:
        feed = placeholder()
        probabilities = network(feed, False)[1]
        tf.train.write_graph(graph, flags.output, "digits_slim_graph.pb", as_text=False)
        variables = {v.op.name: v for v in slim.get_model_variables()}
        averages = {name: name + "/ExponentialMovingAverage" for name in variables}
        for name, average in averages.items():
            variables[average] = tf.get_variable(average, variables[name].shape, trainable=False)
        for name, variable in variables.items():
            variable.load(values[name], session)
        saver = tf.train.Saver(variables)
        saver.save(session, os.path.join(flags.output, "model.ckpt"), STEPS, write_state=False)
        print("raw", score(lambda pictures: session.run(probabilities, {feed: pictures})))
        for name, average in averages.items():
            variables[name].load(values[average], session)
        print("moving averages", score(lambda pictures: session.run(probabilities, {feed: pictures})))


if __name__ == "__main__":
    main()
