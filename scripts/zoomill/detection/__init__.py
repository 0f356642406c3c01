"""Detectors: heads, anchors, NMS, TFLite_Detection_PostProcess."""
