"""Evidence and verdicts: what a figure must be to be a pass."""
