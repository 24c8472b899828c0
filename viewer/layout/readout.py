"""The column beside the picture: area, state and facts. It shows a `ReadoutState` and decides nothing itself."""

from collections.abc import Callable
from html import escape

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from inference.readout.facts import FACTS
from inference.readout.readout_state import Card, Offer, ReadoutState
from inference.safety import is_headline
from viewer.style import theme
from viewer.style.theme import TONES, Sizes
from viewer.style.widgets import ElidedLabel, Mark, button, label, rule, set_text, size_button

WIDTH = 350
SIZES = (14, 13, 12, 11)
"""Font sizes of a card's sentences, px at 1280×800: the largest that fits is used."""


class AreaLabel(QWidget):
    """The largest text: a number with its unit, or a headline of two lines; shrinks to fit and is never cut."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes = Sizes()
        self._words = ("", "", "", theme.TEXT)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self.setFixedHeight(sizes.px(76))

    def show_words(self, number: str, unit: str, headline: str, colour: str) -> None:
        """Show a number with a unit, or a headline."""
        words = (number, unit, headline, colour)
        if words != self._words:
            self._words = words
            self.setAccessibleName(headline or f"{number} {unit}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the number with its unit, or the headline."""
        number, unit, headline, colour = self._words
        painter = QPainter(self)
        painter.setPen(QColor(colour))
        if headline:
            painter.setFont(self._sizes.font(30, QFont.Weight.DemiBold))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()), flags, headline)
            return
        font, unit_font = self.fonts(number, unit)
        metrics = QFontMetricsF(font)
        base = (self.height() + metrics.capHeight()) / 2
        painter.setFont(font)
        painter.drawText(0, round(base), number)
        painter.setFont(unit_font)
        painter.setPen(QColor(theme.MUTED))
        painter.drawText(round(metrics.horizontalAdvance(number) + self._sizes.px(10)), round(base), unit)

    def fonts(self, number: str, unit: str) -> tuple[QFont, QFont]:
        """The largest fonts, up to 72 px, with which number and unit fit the width."""
        size = 72.0
        while size > 30:
            font, unit_font = self._sizes.font(size, QFont.Weight.DemiBold), self._sizes.font(size * 0.38)
            width = QFontMetricsF(font).horizontalAdvance(number) + QFontMetricsF(unit_font).horizontalAdvance(unit)
            if width + self._sizes.px(10) <= self.width():
                break
            size -= 2
        return font, unit_font


class CardView(QFrame):
    """The state's box: mark, title, sentences, and buttons for what can be done about it."""

    def __init__(self, on_offer: Callable[[Offer], None]) -> None:
        super().__init__()
        self.setObjectName("card")
        self._card: Card | None = None
        self._sizes = Sizes()
        self._mark, self._title = Mark(), label(wrap=True)
        self._body = label(wrap=True)
        self._body.setTextFormat(Qt.TextFormat.RichText)
        self._buttons = {offer: button(offer.value) for offer in Offer}
        for offer, made in self._buttons.items():
            made.clicked.connect(lambda _=False, chosen=offer: on_offer(chosen))
        self._grid = QGridLayout(self)
        self._grid.addWidget(self._mark, 0, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(self._title, 0, 1)
        self._grid.addWidget(self._body, 1, 0, 1, 2)
        for row, made in enumerate(self._buttons.values(), start=2):
            self._grid.addWidget(made, row, 0, 1, 2)
        self._grid.setColumnStretch(1, 1)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        pad = sizes.px(14)
        self._grid.setContentsMargins(pad, sizes.px(12), pad, sizes.px(12))
        self._grid.setHorizontalSpacing(sizes.px(10))
        self._grid.setVerticalSpacing(sizes.px(8))
        self._title.setFont(sizes.font(27, QFont.Weight.DemiBold))
        self._body.setFont(sizes.font(14))
        # Rich text needs slightly more room than its layout requests.
        self._body.setContentsMargins(0, 0, 0, sizes.px(3))
        side = sizes.px(22)
        self._mark.setFixedSize(side, side + sizes.px(10))
        for made in self._buttons.values():
            size_button(made, sizes)

    def fit(self, height: int) -> None:
        """Use the largest font for the sentences that fits `height`; the title, read from two metres, never shrinks."""
        for size in SIZES:
            self._body.setFont(self._sizes.font(size))
            self._write(size)
            if self._grid.heightForWidth(self.width()) <= height:
                return

    def settle(self) -> None:
        """Lay new words out now: as the picture paints at once, what has changed beside it is painted too."""
        self._grid.activate()

    def show_card(self, card: Card) -> None:
        """Show the card of a state."""
        if card == self._card:
            return
        before, self._card = self._card, card
        if before is None or before.tone is not card.tone:
            self._colour(card)
        self._mark.show_shape(card.shape, TONES[card.tone].title)
        set_text(self._title, card.title)
        self._write(SIZES[0])
        self._body.setVisible(any(card.body))
        for offer, made in self._buttons.items():
            made.setVisible(offer in card.offers)

    def _write(self, size: int) -> None:
        """Write the sentences, the closer together the smaller they are."""
        lines = () if self._card is None else self._card.body
        gap = 5 - (SIZES[0] - size)
        set_text(self._body, "".join(f"<p style='margin:0 0 {gap}px 0'>{_kept(line)}</p>" for line in lines if line))

    def _colour(self, card: Card) -> None:
        tone = TONES[card.tone]
        self.setStyleSheet(
            f"QFrame#card {{ background: {tone.fill}; border: 1px solid {tone.border}; border-radius: 8px; }}"
        )
        self._title.setStyleSheet(f"color: {tone.title};")
        self._body.setStyleSheet(f"color: {tone.body};")


class Readout(QWidget):
    """Area, state card, and the facts behind them.

    Args:
        on_offer: called with the pressed button's offer.
    """

    again_wanted = Signal()
    """Emitted to use the scale again that an interruption ended."""

    def __init__(self, on_offer: Callable[[Offer], None]) -> None:
        super().__init__()
        self.setObjectName("side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._caption = label("muted")
        self._caption.setText("SEGMENTED AREA")
        self._area, self._detail = AreaLabel(), label("soft", wrap=True)
        self._detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._card = CardView(on_offer)
        self._again = button("", "Depth text and ruler are as before the interruption (U)")
        self._again.clicked.connect(self.again_wanted)
        self._again.hide()
        self._values: dict[str, QLabel] = {}
        self._keys: list[QLabel] = []
        self._facts = QVBoxLayout()
        for name in FACTS:
            self._facts.addLayout(self._fact(name))
        self._column = QVBoxLayout(self)
        for widget in (self._caption, self._area, self._detail, self._card, self._again):
            self._column.addWidget(widget)
        self._column.addStretch(1)
        self._column.addWidget(rule())
        self._column.addLayout(self._facts)

    def _fact(self, name: str) -> QHBoxLayout:
        """A row with the name on the left and the value on the right."""
        row = QHBoxLayout()
        row.setSpacing(12)
        key, value = label("muted"), ElidedLabel()
        key.setText(name)
        value.setAlignment(Qt.AlignmentFlag.AlignRight)
        row.addWidget(key)
        row.addWidget(value, 1)
        self._values[name] = value
        self._keys.append(key)
        return row

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self.setFixedWidth(sizes.px(WIDTH))
        pad = sizes.px(20)
        self._column.setContentsMargins(pad, sizes.px(14), pad, sizes.px(10))
        self._column.setSpacing(sizes.px(6))
        self._facts.setSpacing(sizes.px(2))
        self._caption.setFont(sizes.font(12, QFont.Weight.Medium))
        self._area.apply(sizes)
        self._detail.setFont(sizes.font(15))
        self._detail.setFixedHeight(sizes.px(40))
        self._card.apply(sizes)
        size_button(self._again, sizes, size=13)
        for text in (*self._keys, *self._values.values()):
            text.setFont(sizes.font(13))
        self._fit_card()

    def show_caption(self, words: str) -> None:
        """Say what the number is the area of."""
        set_text(self._caption, words)

    def show_state(self, shown: ReadoutState) -> None:
        """Show a readout state."""
        tone = TONES[shown.card.tone]
        self._area.show_words(shown.number, shown.unit, shown.headline, tone.number)
        set_text(self._detail, shown.detail)
        self._card.show_card(shown.card)
        self._fit_card()
        self._card.settle()
        self._column.activate()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the card's sentences inside the card."""
        super().resizeEvent(event)
        self._fit_card()

    def _fit_card(self) -> None:
        """Give the card the height that the other parts leave."""
        fixed = (self._caption.sizeHint().height(), self._area.height(), self._detail.height())
        margins, gaps = self._column.contentsMargins(), 6 * self._column.spacing()
        used = 0 if self._again.isHidden() else self._again.height() + self._column.spacing()
        used += sum(fixed) + self._facts.sizeHint().height() + margins.top() + margins.bottom() + gaps + 2
        self._card.fit(self.height() - used)

    def offer_scale(self, words: str) -> None:
        """Offer to use this scale again; an empty text withdraws the offer."""
        set_text(self._again, f"Depth unchanged: use {words}")
        if self._again.isHidden() is bool(words):
            self._again.setVisible(bool(words))
            self._fit_card()

    def show_fact(self, name: str, value: str) -> None:
        """Show one of `FACTS`."""
        set_text(self._values[name], value)


def _kept(line: str) -> str:
    """A sentence as rich text, each number kept on one line with its unit; what could be a headline is emphasised."""
    text = escape(line).replace(" mm", "&nbsp;mm")
    return f"<b>{text}</b>" if is_headline(line) else text
