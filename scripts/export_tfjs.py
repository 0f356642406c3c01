"""Export a TensorFlow.js graph or layers model; TensorFlow.js in Node makes the golden outputs."""

from zoomill import command
from zoomill.sources import exporter, tfjs_source

main = exporter.main(__doc__, tfjs_source.load, library="folder of the JavaScript packages")

if __name__ == "__main__":
    command.run(main)
