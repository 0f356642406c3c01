"""TOCO. All of this, and the base modules that it imports, runs under Python 3.7 too."""
