"""A run of Snakemake's: what it shows while it runs, and what it ends with. Runs on the host only."""
