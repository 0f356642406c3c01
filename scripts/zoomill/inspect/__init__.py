"""What is inside a model file, read as data: no framework is imported and nothing in the file is run."""
