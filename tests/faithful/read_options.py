"""Print the options of TFLite_Detection_PostProcess in frozen graphs as a JSON list."""

import json
import sys
from pathlib import Path

from zoomill.detection import graph_postprocess

print(json.dumps([vars(graph_postprocess.read_back(Path(path).read_bytes())) for path in sys.argv[1:]]))
