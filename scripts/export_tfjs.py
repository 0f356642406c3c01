"""Export a TensorFlow.js graph or layers model; TensorFlow.js in Node makes the golden outputs."""

from zoomill import command
from zoomill.sources import exporter, tfjs_source
from zoomill.tfjs import tfjs_runtime

main = exporter.main(__doc__, tfjs_source.load, library=tfjs_runtime.add_library)

if __name__ == "__main__":
    command.run(main)
