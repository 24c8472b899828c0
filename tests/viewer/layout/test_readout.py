"""The readout beside the picture: its words stand in their places in the moment in which they are set."""

from collections.abc import Callable
from dataclasses import replace

from legible import cut_off

from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
SENTENCE = "Nothing is known of its accuracy on this picture."


def test_new_words_are_laid_out_before_anything_is_painted(show: Show) -> None:
    """The picture paints at once, and the screen then gets what has changed beside it: never in its former layout."""
    window = show()
    before = window.readout_state
    assert before is not None
    for title, body in (("Phase not set", ("",)), ("Not evidence of absence", (SENTENCE,) * 3), ("Phase not set", ())):
        window.view.readout.show_state(replace(before, card=replace(before.card, title=title, body=body)))
        assert cut_off(window.view.readout) == []
