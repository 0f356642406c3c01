"""Ask TOCO for int8, which zoomill never does. Arguments: graph.pb, contract.json, the .tflite file to write."""

import sys

from zoomill import files, tensorflow_parts, toco

contract, types = files.read_json(sys.argv[2]), tensorflow_parts.import_part("tensorflow.lite.toco.types_pb2")
types.QUANTIZED_UINT8 = types.INT8
outputs = [promise["tensor"] for promise in contract["outputs"]]
graph = tensorflow_parts.graph_def(sys.argv[1])
files.write_bytes(sys.argv[3], toco.convert(graph, contract["inputs"], outputs, [(0, 128)]))
