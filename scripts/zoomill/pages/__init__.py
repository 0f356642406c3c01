"""What pages are given: decoders and models.json."""
