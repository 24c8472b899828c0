"""The contour on the screen belongs to the picture on the screen: read back from painted pixels, through real threads.

A source burns its frame number into the picture as sixteen dark or grey blocks; the "model" reads it there and
answers with a box whose place tells the number. The window is grabbed while it runs, and both are decoded.
"""

import random
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from inference.frame import Frame, Origin, Pixels, View
from inference.live.model import Model
from inference.outcome import Analysis, Outcome, Region, SizeState, Tumour
from inference.source_info import SourceInfo
from inference.sources.recorded import Recorded
from inference.spacing import PixelSpacing, Provenance
from viewer.main_window import MainWindow
from viewer.picture.canvas import Canvas

ROWS, COLS, COUNT = 256, 320, 120
BITS, BLOCK, CODE_ROW = 16, 18, 200
FIRST, STEP = 16, 2
"""Column of the box's left side in frame 0, and how far it moves a frame."""


class Numbered(Recorded):
    """Frames that say their number in their pixels."""

    def __init__(self, fps: float = 60.0) -> None:
        spacing = PixelSpacing(0.2, 0.2, Provenance.EXACT)
        origin = Origin("numbered", View.NATIVE, simulated=True)
        super().__init__(SourceInfo(origin, ROWS, COLS, spacing, "", (0.0, 255.0), fps))

    def __len__(self) -> int:
        return COUNT

    def _pixels(self, index: int) -> Pixels:
        pixels = np.full((ROWS, COLS), 60, np.uint8)
        for bit in range(BITS):
            white = index >> bit & 1
            pixels[CODE_ROW : CODE_ROW + BLOCK, 16 + bit * BLOCK : 16 + (bit + 1) * BLOCK] = 105 if white else 20
        return pixels


def number_in(pixels: NDArray[np.uint8], at: Callable[[float, float], tuple[int, int]]) -> int:
    """Decode the blocks; `at` maps (x, y) of the picture to (column, row) of `pixels`."""
    number = 0
    for bit in range(BITS):
        column, row = at(16 + (bit + 0.5) * BLOCK, CODE_ROW + BLOCK / 2)
        number |= int(pixels[row, column] > 75) << bit
    return number


def box_of(frame: Frame) -> Outcome:
    """The 'model': reads the number from the pixels, and answers with a box at its place."""
    number = number_in(np.asarray(frame.pixels, np.uint8), lambda x, y: (int(x), int(y)))
    left = FIRST + STEP * number
    outline = np.array([(left, 40), (left + 30, 40), (left + 30, 120), (left, 120)], np.float32)
    region = Region(2400, 96.0 * 4, (outline,), None, None, False, SizeState.ABOVE_200)
    return Tumour(frame, Analysis("box", "0" * 64, "CPU", 1.0, 1.0, False), np.zeros((ROWS, COLS), np.uint8), (region,))


def slow(frame: Frame) -> Outcome:
    time.sleep(0.12)
    return box_of(frame)


def jittery(frame: Frame) -> Outcome:
    time.sleep(random.Random(frame.index).choice((0.0, 0.004, 0.03, 0.09)))
    return box_of(frame)


def very_slow(frame: Frame) -> Outcome:
    time.sleep(0.4)
    return box_of(frame)


def painted_number(canvas: Canvas) -> tuple[int, NDArray[np.int_]]:
    """The number in the painted picture, and the cyan columns of a row that any contour crosses."""
    image = canvas.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[..., :3].astype(int)
    placement = canvas.placement
    assert placement is not None

    def at(x: float, y: float) -> tuple[int, int]:
        column, row = placement.to_view(x, y)
        return round(column), round(row)

    blue, red = pixels[..., 0], pixels[..., 2]
    row = at(0, 80)[1]
    inside = slice(round(placement.left), round(placement.right))
    cyan = np.flatnonzero(blue[row, inside] - red[row, inside] > 120) + inside.start
    return number_in(pixels.mean(axis=2).astype(np.uint8), at), cyan


def painted_numbers(window: MainWindow) -> tuple[int, int]:
    """(number in the picture, number in the contour's place), from the pixels of the painted window."""
    canvas = window.view.canvas
    number, cyan = painted_number(canvas)
    left_side = cyan[cyan < cyan[0] + 8].mean()
    assert canvas.placement is not None
    x = canvas.placement.to_picture(float(left_side) + 0.5, 0.0)[0]
    return number, round((x - FIRST) / STEP)


@pytest.mark.parametrize("analyse", [box_of, slow, jittery])
def test_picture_and_contour_are_of_the_same_frame(
    show: Callable[..., MainWindow],
    make_model: Callable[..., Model],
    contract: object,
    qtbot: QtBot,
    analyse: Callable[[Frame], Outcome],
) -> None:
    window = show(Numbered(), make_model(contract, analyse))
    seen: set[int] = set()

    def look() -> bool:
        if window.readout_state is None or not window.readout_state.contour:
            return False
        picture, contour = painted_numbers(window)
        assert picture == contour
        seen.add(picture)
        return len(seen) >= 12

    qtbot.waitUntil(look, timeout=15_000)
    assert window.meter.mismatched == 0
    assert window.meter.shown >= 12


def test_a_foreign_contour_is_counted(
    show: Callable[..., MainWindow], make_model: Callable[..., Model], contract: object, qtbot: QtBot
) -> None:
    """The count is taken from what was painted: break the pair on purpose, and it says so."""
    source = Numbered()
    window = show(source, make_model(contract, box_of))
    assert window.session.playback is not None
    window.session.playback.pause()
    qtbot.wait(100)
    before = window.meter.shown
    foreign = box_of(source.read(90))
    window.view.canvas.picture.show_frame(source.read(5), (0.0, 255.0))
    window.view.canvas.contour.show_outcome(foreign, ())
    window.view.canvas.viewport().update()
    qtbot.waitUntil(lambda: window.meter.shown > before, timeout=2000)
    assert window.meter.mismatched == 1


def test_beside_a_slow_model_the_live_pane_runs_at_the_sources_rate_and_has_no_contour(
    show: Callable[..., MainWindow], make_model: Callable[..., Model], contract: object, qtbot: QtBot
) -> None:
    """Numbers are read back from both painted panes while they run."""
    model = replace(make_model(contract, very_slow), warm_up_ms=400.0)
    window = show(Numbered(fps=25.0), model)
    live: list[tuple[float, int]] = []
    analysed: set[int] = set()

    def look() -> bool:
        number, cyan = painted_number(window.view.live)
        assert cyan.size == 0
        live.append((time.monotonic(), number))
        if window.readout_state is not None and window.readout_state.contour:
            picture, contour = painted_numbers(window)
            assert picture == contour
            analysed.add(picture)
        return len(analysed) >= 6

    qtbot.waitUntil(look, timeout=20_000)
    assert window.view.picture_area.two_panes
    shown = len({number for _, number in live})
    assert shown > len(analysed), f"{shown} pictures in the live pane beside {len(analysed)} analysed ones"
    qtbot.waitUntil(lambda: window.state.live_meter.fps_now > 0.9 * 25.0, timeout=20_000)
    assert window.state.live_meter.mismatched == window.meter.mismatched == 0
