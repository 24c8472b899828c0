"""Everything that can be done, once: for the keyboard, the help, and fingers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """Something the user can do.

    Attributes:
        name: the window's method that does it.
        keys: key sequences as Qt spells them; the first is shown.
        shown: the key as a person reads it.
        words: what it does.
    """

    name: str
    keys: tuple[str, ...]
    shown: str
    words: str


ACTIONS = (
    Action("play", ("Space",), "space", "Play, pause, freeze"),
    Action("back", ("Left",), "←", "One frame back"),
    Action("forward", ("Right",), "→", "One frame on"),
    Action("open", ("Ctrl+O",), "Ctrl O", "Open a source"),
    Action("calibrate", ("C",), "C", "Calibrate the scale"),
    Action("model", ("M",), "M", "Model card"),
    Action("phase", ("P",), "P", "Next phase of surgery"),
    Action("overlay", ("O",), "O", "Contour off for 3 s"),
    Action("band", ("B",), "B", "Uncertainty band"),
    Action("disagreement", ("V",), "V", "Where passes disagree"),
    Action("caliper", ("D",), "D", "Caliper on a still view"),
    Action("snapshot", ("S",), "S", "Write a snapshot"),
    Action("record", ("R",), "R", "Record, or stop"),
    Action("keep", ("K",), "K", "Keep the last 30 s"),
    Action("export", ("E",), "E", "Export the open record"),
    Action("wrong", ("W",), "W", "Mark this contour as wrong"),
    Action("wider", ("+", "="), "+", "Wider line"),
    Action("narrower", ("-",), "−", "Narrower line"),
    Action("mirror", ("X",), "X", "Flip left and right"),
    Action("invert", ("Y",), "Y", "Flip up and down"),
    Action("fullscreen", ("F", "F11"), "F", "Full screen"),
    Action("monitor", ("Shift+F",), "⇧ F", "Fill the other monitor"),
    Action("performance", ("T",), "T", "Timing and frame counts"),
    Action("help", ("?", "F1"), "?", "Keys and all actions"),
    Action("dismiss", ("Esc",), "Esc", "Close the panel"),
)
