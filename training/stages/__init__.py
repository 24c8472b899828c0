"""The subcommands of `ius-train`, one file each, with help text, arguments and the function that runs it.

Each file imports what it needs inside `run`, so that `--help` stays quick.
"""
