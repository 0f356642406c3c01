"""What can be had, and what the rules are given. Runs on the host only: no NumPy, no framework."""
