"""Damaged picture: parts of it were lost on the network, and the decoder invented what is missing."""

from inference.guards.thumbnail import Thumbnail


def damaged(thumbnail: Thumbnail) -> bool:
    """Whether the source says so: nothing in the pixels tells a smear from tissue."""
    return thumbnail.frame.damaged
