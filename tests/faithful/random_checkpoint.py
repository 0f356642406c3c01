"""Write a checkpoint of random values for the variables that a model.ckpt.index lists. Python 3.7, TensorFlow 1.

Arguments: prefix of the index, prefix of the checkpoint to write. Values come from a frozen stream and are scaled
so that activations neither vanish nor explode; variances are positive.
"""

import sys

import numpy as np
import tensorflow as tf


def value(random, name, shape):
    """Return one variable's value, float32."""
    if name.endswith("weights"):  # He et al. 2015, equation 10
        inputs = np.prod(shape[:2]) if "depthwise" in name else np.prod(shape[:3])
        return random.normal(0, np.sqrt(2 / inputs), shape)
    if name.endswith(("gamma", "moving_variance")):
        return random.uniform(0.5, 1.5, shape)
    return random.normal(0, 0.1, shape)


reader = tf.train.NewCheckpointReader(sys.argv[1])
random = np.random.RandomState(0)
variables = []
for name, shape in sorted(reader.get_variable_to_shape_map().items()):
    dtype = reader.get_variable_to_dtype_map()[name].as_numpy_dtype
    variables.append(tf.Variable(value(random, name, shape).astype(dtype), name=name))
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, sys.argv[2], write_meta_graph=False)
