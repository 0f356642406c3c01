"""Single modules of an installed TensorFlow, imported without starting TensorFlow.

``import tensorflow`` takes 2 to 6 seconds and half a gigabyte; a generated protobuf message or a single native
binding takes 0.2 seconds. Parent packages are registered with their search path but their ``__init__`` is not run.
A process that has used this must not import TensorFlow itself afterwards. Must run under Python 3.7.
"""

import importlib
import importlib.util
import os
import sys
import types

from zoomill.errors import UserError


def import_part(name):
    """Import ``name`` (``tensorflow.core.framework.graph_pb2``, say) and nothing of its packages' ``__init__``.

    Raises:
        UserError: when no TensorFlow is installed in this environment.
    """
    spec = importlib.util.find_spec("tensorflow") if "tensorflow" not in sys.modules else None
    if "tensorflow" not in sys.modules and spec is None:
        raise UserError("TensorFlow is not installed here; run this command in the environment of its rule")
    parts = name.split(".")
    for depth in range(1, len(parts)):
        package = ".".join(parts[:depth])
        if package not in sys.modules:
            module = types.ModuleType(package)
            root = spec.submodule_search_locations[0] if depth == 1 else sys.modules["tensorflow"].__path__[0]
            module.__path__ = [os.path.join(root, *parts[1:depth])]
            sys.modules[package] = module
    return importlib.import_module(name)


def graph_def(path):
    """Read a frozen graph as a GraphDef message.

    Raises:
        UserError: when the file is no GraphDef.
    """
    from google.protobuf.message import DecodeError

    graph = import_part("tensorflow.core.framework.graph_pb2").GraphDef()
    try:
        with open(path, "rb") as file:
            graph.ParseFromString(file.read())
    except DecodeError:
        graph.Clear()
    if not graph.node:
        raise UserError(f"{path}: is no frozen TensorFlow graph (GraphDef)")
    return graph
