"""The version of this program, used in every command, title, export and record, and for the built packages."""

__version__ = "0.1.0"

SOFTWARE = f"ius {__version__}"
"""What every export says that it was made by."""
