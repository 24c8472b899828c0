"""Runs experiments: a Snakemake workflow that calls the stages of the command line."""
