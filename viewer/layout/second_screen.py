"""A window for a second monitor: picture, contour, number and warnings, and no controls.

It is drawn from the same `ScreenState` as the operator's window, at the same tick, and decides nothing itself.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QFont, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from inference.readout.formatting import mode_words
from inference.readout.readout_state import ReadoutState
from inference.readout.screen_state import ScreenState
from inference.readout.states import RESEARCH_LINE
from viewer.layout.pictures import Pictures
from viewer.layout.readout import WIDTH, AreaLabel, CardView
from viewer.style import theme
from viewer.style.icons import emblem
from viewer.style.stylesheet import stylesheet
from viewer.style.theme import TONES, Sizes
from viewer.style.widgets import Mark, label, set_ink, set_text

TITLE = "ius-viewer: second screen"
NO_PICTURE = "No picture"


class SecondScreen(QWidget):
    """Shows what the operator's window shows, to those who do not work with it. It takes no key and no focus."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__(None, Qt.WindowType.Window | Qt.WindowType.WindowDoesNotAcceptFocus)
        self.setWindowTitle(TITLE)
        self.setObjectName("ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowIcon(emblem())
        self._sizes: Sizes | None = None
        self._width = 2.5
        self._said: ReadoutState | None = None
        self.pictures = Pictures(empty=NO_PICTURE)
        self._mark, self._mode, self._research = Mark(), label(), label("gold")
        self._research.setText(RESEARCH_LINE)
        self._area, self._detail = AreaLabel(), label("soft", wrap=True)
        self._detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._card = CardView(lambda _: None)
        self._top, self._side = QWidget(), QWidget()
        self._lay_out()

    def _lay_out(self) -> None:
        self._top.setObjectName("top")
        self._side.setObjectName("side")
        for part in (self._top, self._side):
            part.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._head, self._words = QHBoxLayout(self._top), QVBoxLayout(self._side)
        self._head.addWidget(self._mark)
        self._head.addWidget(self._mode)
        self._head.addStretch(1)
        self._head.addWidget(self._research)
        for part in (self._area, self._detail, self._card):
            self._words.addWidget(part)
        self._words.addStretch(1)
        middle, column = QHBoxLayout(), QVBoxLayout(self)
        middle.setSpacing(0)
        middle.addWidget(self.pictures.area, 1)
        middle.addWidget(self._side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._top)
        column.addLayout(middle, 1)

    def draw(self, screen: ScreenState) -> None:
        """Draw this moment, without what only the operator needs."""
        screen = screen.for_audience
        words, ink, shape = mode_words(screen.info, screen.condition)
        set_text(self._mode, words)
        set_ink(self._mode, ink)
        self._mark.show_shape(shape, theme.INKS[ink])
        if screen.readout != self._said:
            self._say(screen.readout)
        if screen.outcome is None and self.pictures.canvas.picture.frame is not None:
            self.pictures.clear()
        self.pictures.show_panes(two=screen.two_panes)
        self.pictures.draw(screen)

    def _say(self, readout: ReadoutState) -> None:
        self._said = readout
        self._area.show_words(readout.number, readout.unit, readout.headline, TONES[readout.card.tone].number)
        set_text(self._detail, readout.detail)
        self._card.show_card(readout.card)
        self._fit_card()
        self._card.settle()
        self._words.activate()

    def widen(self, width: float) -> None:
        """Set the width of the contour, px at 1280×800."""
        self._width = width
        self.pictures.widen(width * (self._sizes or Sizes()).scale)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Adapt all sizes to the window's."""
        super().resizeEvent(event)
        sizes = Sizes.for_window(self.width(), self.height())
        if sizes != self._sizes:
            self._sizes = sizes
            self._apply(sizes)
        self._fit_card()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell that nobody sees it any more."""
        super().closeEvent(event)
        self.closed.emit()

    def _apply(self, sizes: Sizes) -> None:
        self.setStyleSheet(stylesheet(sizes))
        self.pictures.apply(sizes)
        self.widen(self._width)
        self._top.setFixedHeight(sizes.px(56))
        self._side.setFixedWidth(sizes.px(WIDTH))
        pad = sizes.px(20)
        self._head.setContentsMargins(sizes.px(16), 0, pad, 0)
        self._head.setSpacing(sizes.px(10))
        self._words.setContentsMargins(pad, sizes.px(14), pad, sizes.px(14))
        self._words.setSpacing(sizes.px(6))
        self._mark.setFixedSize(sizes.px(20), sizes.px(20))
        self._mode.setFont(sizes.font(27, QFont.Weight.Bold))
        self._research.setFont(sizes.font(16, QFont.Weight.Medium))
        self._area.apply(sizes)
        self._detail.setFont(sizes.font(15))
        self._detail.setFixedHeight(sizes.px(40))
        self._card.apply(sizes)

    def _fit_card(self) -> None:
        """Give the card the height that the other parts leave."""
        margins = self._words.contentsMargins()
        used = self._area.height() + self._detail.height() + margins.top() + margins.bottom()
        self._card.fit(self._side.height() - used - 4 * self._words.spacing())
