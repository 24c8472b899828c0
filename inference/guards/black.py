"""Black picture: a signal without content, be it black or the even blue of a grabber that gets none."""

from inference.frame import View
from inference.guards.thumbnail import Sketch
from inference.sector import empty

SENTENCE = "The picture is black or even: is the probe connected, and the right input chosen on the grabber?"


def black(sketch: Sketch) -> str:
    """The sentence for a picture without content. A volume's slices are left alone: some are empty.

    A text on it is no content, since its strokes are thin.
    """
    return SENTENCE if sketch.frame.origin.view is not View.SLICE and empty(sketch.full) else ""
