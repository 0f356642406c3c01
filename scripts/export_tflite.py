"""Export a TFLite file: tf2onnx and onnx2tf make a float graph, LiteRT runs the file for the golden outputs."""

from zoomill import command
from zoomill.sources import exporter, tflite_source

main = exporter.main(__doc__, tflite_source.load)

if __name__ == "__main__":
    command.run(main)
