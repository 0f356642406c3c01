"""Export a PyTorch model that run_pytorch wrote as ONNX: onnx2tf makes the graph, the golden outputs are PyTorch's."""

from zoomill import command
from zoomill.sources import exporter, pytorch_source

main = exporter.main(__doc__, pytorch_source.load)

if __name__ == "__main__":
    command.run(main)
