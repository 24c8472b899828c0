"""A stage's arguments, for its receipt."""

import argparse


def settings_of(arguments: argparse.Namespace) -> dict[str, object]:
    """The arguments, without the function that acts on them."""
    return {key: value for key, value in vars(arguments).items() if key != "run"}
