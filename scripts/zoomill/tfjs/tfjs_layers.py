"""TensorFlow.js layers models of Keras sources: the topology that TensorFlow.js 4.22 can load.

Keras 3 writes its topology in a form of its own, which the converter copies as it is: github.com/tensorflow/tfjs
issues 8328 and 8358.
"""

# Keys that only Keras 3 knows.
_FOREIGN = ("module", "registered_name", "build_config", "optional")


def repair(document, contract, names):
    """Change a converted layers model in place so that it loads.

    Args:
        document: content of model.json.
        contract: contract of the model's graph.
        names: ``inputs`` and ``outputs``, what the layers model calls those of the contract, in its order.
    """
    topology = document["modelTopology"]
    config = _without_regularizers(topology["model_config"])
    if str(topology.get("keras_version", "2")).startswith("3"):
        config = _older(config)
        _rename_weights(document, config)
    topology["model_config"] = config
    topology.pop("training_config", None)
    document["signature"] = {
        side: {entry["name"]: {"name": name} for entry, name in zip(contract[side], names[side], strict=True)}
        for side in ("inputs", "outputs")
    }


def _without_regularizers(value):
    """Return a configuration without regularizers: inference needs none, and TensorFlow.js knows not all of them."""
    if isinstance(value, list):
        return [_without_regularizers(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: None if key.endswith("_regularizer") else _without_regularizers(item) for key, item in value.items()}


def _older(value):
    """Return a configuration of Keras 3 in the form of Keras 2."""
    if isinstance(value, list):
        return [_older(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    foreign = _FOREIGN if {"module", "class_name", "config"} <= value.keys() else ("optional",)
    result = {}
    for key, item in value.items():
        if key == "inbound_nodes":
            result[key] = [_inbound(node) for node in item]
        elif key not in foreign:
            result["batch_input_shape" if key == "batch_shape" else key] = _older(item)
    for key in ("input_layers", "output_layers"):
        if result.get(key) and not isinstance(result[key][0], list):
            result[key] = [result[key]]
    return result


def _inbound(node):
    """Return one call of a layer: from the tensors among its arguments to ``[[layer, node, tensor, options], …]``."""
    if not isinstance(node, dict):
        return node
    options = {
        key: value
        for key, value in node.get("kwargs", {}).items()
        if key not in ("mask", "training") and not isinstance(value, dict)
    }
    return [[*history, options] for history in _histories(node.get("args", []))]


def _histories(value):
    """Return ``[layer, node, tensor]`` of all tensors in the arguments of a call."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return [list(value["config"]["keras_history"])]
    return [history for item in value for history in _histories(item)] if isinstance(value, list) else []


def _rename_weights(document, config):
    """Give weights the names that TensorFlow.js looks for: ``layer/weight``, without the model's name before it."""
    layers = {layer["config"]["name"]: layer["class_name"] for layer in config["config"]["layers"]}
    for entry in (entry for group in document["weightsManifest"] for entry in group["weights"]):
        parts = entry["name"].split("/")
        first = next((index for index, part in enumerate(parts[:-1]) if part in layers), 0)
        parts = parts[first:]
        if layers.get(parts[0]) == "DepthwiseConv2D" and parts[-1] == "kernel":
            parts[-1] = "depthwise_kernel"
        entry["name"] = "/".join(parts)
