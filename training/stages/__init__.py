"""One file a subcommand of `ius-train`: its words, its arguments, and what it runs.

Each imports what it needs inside `run`, so that `--help` stays quick.
"""
