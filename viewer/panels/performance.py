"""File and device of the model, and measured speed: latency from capture to paint, frames received and shown."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from inference.live.model import Model
from inference.live.paint_meter import PaintMeter
from inference.live.stream import StreamStatus
from inference.readout.facts import DETAILS
from inference.readout.formatting import spaced
from viewer.panels.base import Panel
from viewer.style.theme import Sizes
from viewer.style.widgets import label, set_text

ROWS = (*DETAILS, "Capture to paint p50", "p95", "p99", "Frames shown per second", "In the live pane", "Captured",
        "Analysed", "Shown", "Mismatched contours", "Provider", "Network warm-up", "Screen")  # fmt: skip


class PerformancePanel(Panel):
    """Numbers that are updated while the panel is open."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Device, timing, counts", 450, parent)
        self._values: dict[str, QLabel] = {}
        self._labels: list[QLabel] = []
        grid = QGridLayout()
        for row, name in enumerate(ROWS):
            key, value = label("muted"), label()
            key.setText(name)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(key, row, 0)
            grid.addWidget(value, row, 1)
            self._values[name] = value
            self._labels += [key, value]
        grid.setColumnStretch(1, 1)
        self.body.addLayout(grid)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        for text in self._labels:
            text.setFont(sizes.font(14))

    def show_screen(self, words: str) -> None:
        """Show whether the screen is kept on."""
        set_text(self._values["Screen"], words)

    def show_details(self, facts: Mapping[str, str]) -> None:
        """Show what nobody needs at a glance: the values of `DETAILS`."""
        for name in DETAILS:
            set_text(self._values[name], facts[name])

    def show_numbers(
        self, meter: PaintMeter, live: PaintMeter, status: StreamStatus | None, model: Model | None
    ) -> None:
        """Show the latest numbers; `live` is the live pane's meter, if there are two panes."""
        latency, counts, milliseconds = meter.latency, ("—",) * 2, ("—",) * 3
        if latency is not None:
            milliseconds = (f"{latency.p50:.0f} ms", f"{latency.p95:.0f} ms", f"{latency.p99:.0f} ms")
        if status is not None:
            counts = (spaced(status.captured), spaced(status.analysed))
        captured, analysed = counts
        values = (
            *milliseconds,
            f"{meter.fps_now:.1f}",
            f"{live.fps_now:.1f}" if live.shown else "—",
            captured,
            analysed,
            spaced(meter.shown),
            spaced(meter.mismatched),
            "—" if model is None else model.provider,
            "—" if model is None else f"{model.warm_up_ms:.0f} ms",
        )
        for name, value in zip(ROWS[len(DETAILS) : -1], values, strict=True):
            set_text(self._values[name], value)
