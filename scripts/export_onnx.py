"""Export an ONNX model: onnx2tf makes the graph, ONNX Runtime the golden outputs."""

from zoomill import command
from zoomill.sources import exporter, onnx_source

main = exporter.main(__doc__, onnx_source.load)

if __name__ == "__main__":
    command.run(main)
