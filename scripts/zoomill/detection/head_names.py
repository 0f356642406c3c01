"""Names of the tensors between which an SSD's network lies: those that TFLite's exporter of the TF1 API gave them."""

# float32 [1, height, width, channels], normalised.
INPUT = "normalized_input_image_tensor"
# float32 [1, anchors, 4]: ty, tx, th, tw of each anchor, scaled.
BOXES = "raw_outputs/box_encodings"
# float32 [1, anchors, 1 + classes], background first.
SCORES = "raw_outputs/class_predictions"
