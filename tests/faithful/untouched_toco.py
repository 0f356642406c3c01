"""Run TOCO on a graph as it is, without what run_toco.py does for Python 3.7.

Arguments: graph.pb, contract.json, the .tflite file to write.
"""

import sys

from zoomill import files, tensorflow_parts, toco

contract = files.read_json(sys.argv[2])
outputs = [promise["tensor"] for promise in contract["outputs"]]
files.write_bytes(sys.argv[3], toco.convert(tensorflow_parts.graph_def(sys.argv[1]), contract["inputs"], outputs))
