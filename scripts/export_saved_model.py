"""Export one signature of a SavedModel, or of a TF-Hub module, of TensorFlow 1 or 2."""

from zoomill import command
from zoomill.sources import exporter, saved_model_source

main = exporter.main(__doc__, saved_model_source.load)

if __name__ == "__main__":
    command.run(main)
