""".tflite files: making, quantising, reading and running them."""
