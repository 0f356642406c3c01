"""Run TOCO on a graph as it is, without what run_toco.py does for Python 3.7.

Arguments: graph.pb, contract.json, the .tflite file to write.
"""

import sys

from zoomill import files
from zoomill.toco import binding, parts

contract = files.read_json(sys.argv[2])
outputs = [promise["tensor"] for promise in contract["outputs"]]
files.write_bytes(sys.argv[3], binding.convert(parts.graph_def(sys.argv[1]), contract["inputs"], outputs))
