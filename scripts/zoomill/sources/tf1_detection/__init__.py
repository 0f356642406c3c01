"""Detectors of the TF1 Object Detection API."""
