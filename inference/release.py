"""Where new versions are found. The program itself never looks there."""

import argparse
import sys
from collections.abc import Sequence
from importlib import metadata

from inference.version import __version__

RELEASES = "Releases"
"""The name of the address in pyproject's `[project.urls]`, from where it comes into the package."""


def releases() -> str:
    """The address, as the installed package states it; empty if it states none, or is not installed."""
    try:
        urls = metadata.metadata("ius").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    named = dict(str(url).split(", ", 1) for url in urls)
    return named.get(RELEASES, "")


def in_words() -> str:
    """A line about it; empty where there is nothing to say."""
    return f"New versions: {address}" if (address := releases()) else ""


class ShowVersion(argparse.Action):
    """`--version`: prints the program's version, and where newer ones are, and ends it."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show program's version number and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print and exit."""
        sys.stdout.write("\n".join(filter(None, (f"{parser.prog} {__version__}", in_words()))) + "\n")
        parser.exit()
