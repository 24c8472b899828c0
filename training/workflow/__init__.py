"""Experiments run: a Snakemake workflow over the command line's own stages."""
