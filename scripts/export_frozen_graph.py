"""Export a frozen TensorFlow graph between named tensors."""

from zoomill import command
from zoomill.sources import exporter, frozen_graph_source

main = exporter.main(__doc__, frozen_graph_source.load)

if __name__ == "__main__":
    command.run(main)
