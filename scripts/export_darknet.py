"""Export a Darknet model (.cfg and .weights) with its detection heads raw or decoded to boxes."""

from zoomill import command, exporter
from zoomill.darknet import source

main = exporter.main(__doc__, source.load)

if __name__ == "__main__":
    command.run(main)
