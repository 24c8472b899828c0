"""Contrast of colours after WCAG 2.1, and the pairs of colours that the window uses."""

from collections.abc import Iterator

from PySide6.QtGui import QColor

from viewer.style import theme


def text_pairs() -> Iterator[tuple[str, str]]:
    """Every (text, ground) pair of colours that the window uses."""
    for ground in (theme.GROUND, theme.PANEL, theme.RAISED, theme.HOVER):
        yield from ((text, ground) for text in (theme.TEXT, theme.SOFT, theme.MUTED))
    yield from ((text, theme.PANEL) for text in (theme.GREEN, theme.BLUE, theme.RED, theme.AMBER, theme.GOLD))
    yield from ((text, theme.GROUND) for text in (theme.GOLD, theme.CYAN, theme.AMBER))
    marks = (theme.CYAN, theme.AMBER, theme.BAND, theme.TRUTH, theme.GREEN, theme.BLUE, theme.RED)
    yield from ((text, theme.BLACK) for text in (*marks, theme.SOFT, theme.MUTED, theme.TEXT))
    yield theme.GROUND, theme.AMBER
    yield theme.GROUND, theme.CYAN
    for tone in theme.TONES.values():
        yield from ((tone.title, tone.fill), (tone.body, tone.fill), (tone.number, theme.PANEL))


def contrast(text: str, ground: str) -> float:
    """WCAG 2.1 contrast ratio of two colours, 1 to 21; AA asks for 4.5, and 3 for large text."""
    light, dark = sorted((_luminance(text), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.1."""
    c = QColor(colour)
    channels = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c.redF(), c.greenF(), c.blueF())]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
