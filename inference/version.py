"""The version of this program, used in every command, title, export and record, and for the built packages."""

__version__ = "0.1.0"
