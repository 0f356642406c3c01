"""Export a Keras model (.h5 of Keras 2 or 3, .keras, SavedModel of Keras 2) for inference with a batch of one."""

from zoomill import command
from zoomill.sources import exporter, keras_source

main = exporter.main(__doc__, keras_source.load)

if __name__ == "__main__":
    command.run(main)
