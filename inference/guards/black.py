"""Black picture: a signal without content, either black or the even blue of a grabber without input."""

from inference.frame import View
from inference.guards.thumbnail import Thumbnail
from inference.sector import empty

RECORDED = "The picture is black or even: there is nothing in it to analyse. Go on to another frame."
"""Said of a recording, whose probe and grabber nobody can see to any more."""


def black(thumbnail: Thumbnail) -> bool | str:
    """Whether a picture has no content. Slices of a volume are exempt: some are empty.

    Text does not count as content: its strokes are thin.
    """
    origin = thumbnail.frame.origin
    if origin.view is View.SLICE or not empty(thumbnail.full):
        return False
    return True if origin.live else RECORDED
