"""Black picture: a signal without content, be it black or the even blue of a grabber that gets none."""

from inference.frame import View
from inference.guards.thumbnail import Thumbnail
from inference.sector import empty


def black(thumbnail: Thumbnail) -> bool:
    """Whether a picture has no content. A volume's slices are left alone: some are empty.

    A text on it is no content, since its strokes are thin.
    """
    return thumbnail.frame.origin.view is not View.SLICE and empty(thumbnail.full)
