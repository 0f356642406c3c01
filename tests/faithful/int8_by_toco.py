"""Ask TOCO for int8, which zoomill never does. Arguments: graph.pb, contract.json, the .tflite file to write."""

import sys

from zoomill import files
from zoomill.toco import binding, parts

contract, types = files.read_json(sys.argv[2]), parts.import_part("tensorflow.lite.toco.types_pb2")
types.QUANTIZED_UINT8 = types.INT8
outputs = [promise["tensor"] for promise in contract["outputs"]]
graph = parts.graph_def(sys.argv[1])
files.write_bytes(sys.argv[3], binding.convert(graph, contract["inputs"], outputs, [(0, 128)]))
