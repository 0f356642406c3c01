"""The SavedModel of a frozen graph, written as data: no session, no variables."""

from pathlib import Path

from zoomill import folders

SIGNATURE = "serving_default"


def write(folder, graph, contract):
    """Write a SavedModel with one graph, tagged ``serve``, and one signature, ``serving_default``.

    Equal arguments give equal bytes.

    Args:
        folder: where to write it; one that stands there is replaced.
        graph: frozen GraphDef without operators of TFLite.
        contract: its contract; the signature has the contract's names, dtypes and shapes.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add()
    meta.meta_info_def.tags.append("serve")
    meta.graph_def.CopyFrom(graph)
    signature = meta.signature_def[SIGNATURE]
    signature.method_name = "tensorflow/serving/predict"
    for ends, promises in ((signature.inputs, contract["inputs"]), (signature.outputs, contract["outputs"])):
        for promise in promises:
            _describe(ends[promise["name"]], promise)
    with folders.written(folder) as temporary:
        Path(temporary, "saved_model.pb").write_bytes(saved.SerializeToString(deterministic=True))


def _describe(info, promise):
    """Fill the TensorInfo of one input or output."""
    import tensorflow as tf

    info.name = promise["tensor"] if ":" in promise["tensor"] else f"{promise['tensor']}:0"
    info.dtype = tf.as_dtype(promise["dtype"]).as_datatype_enum
    for size in promise["shape"]:
        info.tensor_shape.dim.add(size=size)
