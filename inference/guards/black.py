"""Black picture: a signal without content, either black or the even blue of a grabber without input."""

from inference.frame import View
from inference.guards.thumbnail import Thumbnail
from inference.sector import empty


def black(thumbnail: Thumbnail) -> bool:
    """Whether a picture has no content. Slices of a volume are exempt: some are empty.

    Text does not count as content: its strokes are thin.
    """
    return thumbnail.frame.origin.view is not View.SLICE and empty(thumbnail.full)
