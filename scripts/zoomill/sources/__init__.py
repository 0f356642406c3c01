"""Kinds of source: from a stranger's files to a graph. Only this knows their formats."""
