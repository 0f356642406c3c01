"""Faults of the machine, in the middle of every stage of a run: no room on the disk, no memory, a killed job."""
