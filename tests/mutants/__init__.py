"""Mutants: artifacts that are wrong in one way, each of which its proof must tell from the right one."""
