"""Darknet models: a .cfg file that lists the layers and a .weights file with their parameters in the same order."""
