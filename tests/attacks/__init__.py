"""Hostile files, made when they are needed, and what comes of them.

Modules here have the names of frameworks: run them as ``python -m attacks.MODULE`` with ``tests`` in PYTHONPATH.
"""
