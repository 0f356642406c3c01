"""Export a TF1 checkpoint with its inference graph or meta graph: freeze it between named tensors."""

from zoomill import command
from zoomill.sources import exporter, tf1_checkpoint_source

main = exporter.main(__doc__, tf1_checkpoint_source.load)

if __name__ == "__main__":
    command.run(main)
