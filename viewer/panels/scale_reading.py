"""What was read of the scale from the scanner's screen, in a place of its own: whatever comes, nothing else moves."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from inference.ruler import per_pixel
from viewer.style.theme import Sizes
from viewer.style.widgets import button, label, set_ink, set_text, size_button

if TYPE_CHECKING:
    from inference.screen.scale import ScaleProposal

WAITING = "Reading the scanner's screen…"
LINES = 2
"""Lines that the words may have."""
EXCERPT = 30
"""Height of the texts that were read, as they are shown larger, px at 1280×800."""


class ScaleReading(QWidget):
    """Offers the scale that was read, or says why none was; it is as high before as after.

    Attributes:
        proposal: the scale offered; None if none is.
    """

    used = Signal(object)
    """Emitted with the `ScaleProposal` that the user confirms."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes = Sizes()
        self.proposal: ScaleProposal | None = None
        self.words, self.excerpt, self.use = label("soft", wrap=True), QLabel(), button("Use it", kind="accent")
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.use.clicked.connect(self._confirm)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for part in (self.words, self.excerpt, self.use):
            self._column.addWidget(part)
            policy = part.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            part.setSizePolicy(policy)
        self.show_reading(None)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self.words.setFont(sizes.font(13))
        self.words.setFixedHeight(LINES * self.words.fontMetrics().lineSpacing() + sizes.px(2))
        size_button(self.use, sizes)
        self.excerpt.setFixedHeight(sizes.px(EXCERPT))
        self._column.setSpacing(sizes.px(8))

    def show_reading(
        self, proposal: "ScaleProposal | None", reason: str = "", excerpt: NDArray[np.uint8] | None = None
    ) -> None:
        """Offer the scale that was read, or say why none was; without both, that it is being read.

        Args:
            proposal: the scale, for the user to confirm.
            reason: why there is none, in one sentence.
            excerpt: (rows, cols), the texts that were read, to be shown larger.
        """
        self.proposal = proposal
        words = reason or WAITING
        if proposal is not None:
            words = f"On the screen, {proposal.words} agree."
            set_text(self.use, f"Use {per_pixel(proposal.spacing)}")
        set_text(self.words, words)
        set_ink(self.words, "soft" if proposal is not None else "muted")
        if excerpt is not None:
            self.excerpt.setPixmap(self._large(excerpt))
        self.excerpt.setVisible(proposal is not None)
        self.use.setVisible(proposal is not None)

    def _large(self, excerpt: NDArray[np.uint8]) -> QPixmap:
        rows, cols = excerpt.shape
        picture = QImage(excerpt.tobytes(), cols, rows, cols, QImage.Format.Format_Grayscale8)
        room = self.width(), self._sizes.px(EXCERPT)
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        return QPixmap.fromImage(picture).scaled(*room, keep, smooth)

    def _confirm(self) -> None:
        if self.proposal is not None:
            self.used.emit(self.proposal)
