"""The arguments of a stage as its receipt stores them."""

import argparse


def settings_of(arguments: argparse.Namespace) -> dict[str, object]:
    """The arguments without the function that runs the stage."""
    return {key: value for key, value in vars(arguments).items() if key != "run"}
