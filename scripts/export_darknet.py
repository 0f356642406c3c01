"""Export a Darknet model (.cfg and .weights) with its detection heads raw or decoded to boxes."""

from zoomill import command
from zoomill.sources import exporter
from zoomill.sources.darknet import source

main = exporter.main(__doc__, source.load)

if __name__ == "__main__":
    command.run(main)
