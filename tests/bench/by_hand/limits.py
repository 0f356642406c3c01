"""Print the CPU seconds of an import, of work that follows, and of the same work again, by tab: WORK SOURCE FILE."""

import sys
import time

work, source, path = sys.argv[1:]


def convert():
    import tensorflow as tf

    yield
    converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(source, ["normalized_input_image_tensor"], OUTPUTS)
    with open(path, "wb") as file:
        file.write(converter.convert())


def quantise():
    from ai_edge_quantizer import quantizer, recipe

    yield
    quantizer.Quantizer(source, recipe.dynamic_wi8_afp32()).quantize().export_model(path, overwrite=True)


OUTPUTS = ["raw_outputs/box_encodings", "raw_outputs/class_predictions"]
seconds = []
for _ in ("first", "again"):
    steps = {"convert": convert, "quantise": quantise}[work]()
    for _ in ("import", "work"):
        before = time.process_time()
        next(steps, None)
        seconds.append(time.process_time() - before)
print(seconds[0], seconds[1], seconds[3], sep="\t")
