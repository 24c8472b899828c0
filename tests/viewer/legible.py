"""Whether what a window says can be read: nothing cut off, nothing outside, enough contrast in its pixels."""

import re
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage
from PySide6.QtWidgets import QLabel, QPushButton, QStyle, QStyleOptionButton, QWidget

from viewer.layout.readout import AreaLabel
from viewer.layout.trace import FONT, Trace
from viewer.main_window import MainWindow

AA, AA_LARGE = 4.5, 3.0
"""WCAG 2.1's least contrast, and that of large text: 24 px, or 19 px and bold."""
EDGE = 3
"""Pixels left out at each side of a widget: its border is no text."""


def cut_off(window: QWidget) -> list[str]:
    """Texts that do not fit the widget that shows them, and widgets that reach out of the window."""
    labels = [made for made in window.findChildren(QLabel) if made.isVisible() and made.text()]
    buttons = [made for made in window.findChildren(QPushButton) if made.isVisible() and made.text()]
    cut = [text for made in labels if (text := _too_small(made))]
    cut += [b.text() for b in buttons if b.fontMetrics().horizontalAdvance(b.text()) > room_in(b)]
    cut += [b.text() for b in buttons if b.fontMetrics().height() > b.height()]
    cut += [made.accessibleName() for made in window.findChildren(AreaLabel) if made.isVisible() and _overflows(made)]
    cut += [text for made in window.findChildren(Trace) if made.isVisible() for text in cut_labels(made)]
    inside = window.rect()
    for widget in window.findChildren(QWidget):
        if widget.isVisible() and widget.window() is window and not _scrolled(widget):
            placed = QRect(widget.mapTo(window, widget.rect().topLeft()), widget.size())
            if not inside.contains(placed):
                cut.append(f"{widget} outside")
    return cut


def cut_labels(trace: Trace) -> list[str]:
    """Words painted on the trend that reach out of it, that are wider than their place, or that overlap others."""
    labels, metrics = trace.labels(), QFontMetricsF(trace._sizes.font(FONT))
    cut = [label.words for label in labels if not QRectF(trace.rect()).contains(label.box)]
    cut += [label.words for label in labels if metrics.boundingRect(label.words).width() > label.box.width() + 1]
    cut += [f"{a.words} over {b.words}" for a, b in combinations(labels, 2) if a.box.intersects(b.box)]
    return cut


def room_in(button: QPushButton) -> int:
    """The width that a button's padding leaves to its text."""
    option = QStyleOptionButton()
    button.initStyleOption(option)
    return button.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, button).width()


def _too_small(text: QLabel) -> str:
    """What a label needs and does not have; empty where it fits. An elided label is too small for its text."""
    metrics, room = text.fontMetrics(), text.contentsRect()
    if text.wordWrap():
        width, height = _longest_word(text), text.heightForWidth(text.width()) - text.height() + room.height()
    else:
        width, height = metrics.horizontalAdvance(text.text()), metrics.height()
    if height > room.height() + 1 or width > room.width() + 1:
        return f"{text.text()} ({room.width()}×{room.height()}, needs {width}×{height})"
    return ""


def _longest_word(text: QLabel) -> int:
    """A word is never broken, so that a label narrower than its longest one cuts it."""
    if text.textFormat() is Qt.TextFormat.RichText:
        return 0
    return max(text.fontMetrics().horizontalAdvance(word) for word in re.split(r"[\s\u200b]", text.text()))


def _overflows(area: AreaLabel) -> bool:
    """Whether the number with its unit, or the headline of two lines, is larger than its place."""
    number, unit, headline, _ = area._words
    if headline:
        metrics = QFontMetricsF(area._sizes.font(30, QFont.Weight.DemiBold))
        needed = metrics.boundingRect(area.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, headline)
        return bool(needed.height() > area.height() + 1 or needed.width() > area.width() + 1)
    font, unit_font = area.fonts(number, unit)
    width = QFontMetricsF(font).horizontalAdvance(number) + QFontMetricsF(unit_font).horizontalAdvance(unit)
    return bool(width + (area._sizes.px(10) if unit else 0) > area.width() + 1)


def _scrolled(widget: QWidget) -> bool:
    """Whether it lies in the scrolled part of a panel."""
    parent = widget.parentWidget()
    return parent is not None and (parent.objectName() == "qt_scrollarea_viewport" or _scrolled(parent))


def pixels_of(image: QImage) -> NDArray[np.int_]:
    """(rows, cols, RGB) of an image."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return pixels[..., 2::-1].astype(int)


def faint(window: MainWindow, pixels: NDArray[np.int_]) -> list[str]:
    """Texts of widgets whose contrast, measured on the window's pixels, is less than WCAG AA; disabled ones may be."""
    found = []
    for made in (*window.findChildren(QLabel), *window.findChildren(QPushButton)):
        if not made.isVisible() or not made.text() or not made.isEnabled():
            continue
        inner = made.rect().adjusted(EDGE, EDGE, -EDGE, -EDGE)
        seen = made.visibleRegion().boundingRect().intersected(inner)
        if seen.height() < inner.height():
            continue  # scrolled half out of sight, perhaps the half with the text
        place = QRect(made.mapTo(window, seen.topLeft()), seen.size()).intersected(window.rect())
        if place.width() < 8 or place.height() < 8:
            continue
        part = pixels[place.top() : place.bottom() + 1, place.left() : place.right() + 1]
        measured = text_contrast(part)
        if measured < (AA_LARGE if is_large(made.font()) else AA):
            found.append(f"{made.text()!r}: {measured:.1f}")
    return found


def is_large(font: QFont) -> bool:
    """Whether WCAG takes it as large text."""
    return font.pixelSize() >= 24 or (font.pixelSize() >= 19 and font.weight() >= QFont.Weight.Bold)


def text_contrast(part: NDArray[np.int_]) -> float:
    """Contrast of a text with its ground, which is the commonest colour: a short word leaves little of it."""
    light = luminance(part)
    values, counts = np.unique(light, return_counts=True)
    return float(contrast(light, float(values[counts.argmax()])).max())


def contrast(light: NDArray[np.float64], ground: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """WCAG 2.1 contrast ratio of luminances."""
    high, low = np.maximum(light, ground), np.minimum(light, ground)
    ratio: NDArray[np.float64] = (high + 0.05) / (low + 0.05)
    return ratio


def luminance(rgb: NDArray[np.int_]) -> NDArray[np.float64]:
    """Relative luminance after WCAG 2.1 of (..., RGB)."""
    share = rgb / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    weighed: NDArray[np.float64] = linear @ np.array([0.2126, 0.7152, 0.0722])
    return weighed
