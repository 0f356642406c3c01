"""What pages are given: decoders and the registry."""
