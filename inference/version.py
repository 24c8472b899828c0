"""The version of this program: in every command, title, export and record, and of the built packages."""

__version__ = "0.1.0"
