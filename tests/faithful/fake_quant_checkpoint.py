"""Insert fake quantisation into a checkpoint's inference graph by tf.contrib.quantize. Python 3.7, TensorFlow 1.15.

Arguments: prefix of the checkpoint, prefix of the one to write, name of the input tensor, .npy with inputs. The
ranges are those that the inputs give without quantisation; nothing is trained.
"""

import sys

import numpy as np
import tensorflow as tf

FAKE_QUANT = "FakeQuantWithMinMaxVars"


def ranges(session, feed, inputs):
    """Return ``{FakeQuant node: (lowest, highest value)}`` of what comes into it in the unquantised graph."""
    definition = session.graph.as_graph_def()
    names = [node.name for node in definition.node if node.op == FAKE_QUANT]
    for node in definition.node:
        if node.op == FAKE_QUANT:
            node.op = "Identity"
            del node.input[1:]
            node.ClearField("attr")
            node.attr["T"].type = tf.float32.as_datatype_enum
    tensors = {name: name + ":0" for name in names}
    frozen = tf.graph_util.convert_variables_to_constants(session, definition, names)
    with tf.Graph().as_default(), tf.Session() as unquantised:
        tf.import_graph_def(frozen, name="")
        runs = [unquantised.run(tensors, {feed: one[None]}) for one in inputs]
    # Zero must be a value that can be stored.
    return {name: (min(0, *(r[name].min() for r in runs)), max(1e-3, *(r[name].max() for r in runs))) for name in names}


def main(source, target, feed, inputs):
    """Write the checkpoint and its meta graph."""
    with tf.Session() as session:
        tf.train.import_meta_graph(source + ".meta", clear_devices=True)
        tf.contrib.quantize.create_eval_graph()
        # Not tf.global_variables(): exporters leave most of them out of their collections.
        operations = session.graph.get_operations()
        variables = {op.name: op.outputs[0] for op in operations if op.type in ("Variable", "VariableV2")}
        stored = [name for name, _ in tf.train.list_variables(source)]
        tf.train.Saver({name: variables[name] for name in stored if name in variables}).restore(session, source)
        assignments = []
        for name, ends in ranges(session, feed, np.load(inputs)).items():
            for number, value in enumerate(ends, 1):
                read = session.graph.get_operation_by_name(name).inputs[number].op
                assignments.append(tf.assign(variables[read.inputs[0].op.name], value))
        session.run(assignments)
        tf.train.Saver(variables).save(session, target, write_state=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
