"""Run several commands of scripts/ in one process, so that TensorFlow starts once.

The first argument is a JSON list of command lines, the name of the command first.
"""

import importlib
import json
import sys

from zoomill import supervisor

# A process in which TensorFlow runs must not be forked; who calls this keeps an eye on the time.
supervisor.watch = lambda work: work()
for name, *arguments in json.loads(sys.argv[1]):
    importlib.import_module(name).main(arguments)
