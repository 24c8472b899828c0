"""A window on a real session: real sources, real streams; the model is a threshold."""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from calibrating import scanner  # noqa: F401
from contracts import clinical, contract, measured  # noqa: F401
from legible import cut_off, faint, pixels_of
from numpy.typing import NDArray
from phantoms import Clinical
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from recordings import recorded, records  # noqa: F401
from threshold import make_model, model  # noqa: F401

from inference.live.model import Model
from inference.live.requests import Refusal, SourceRequest
from inference.live.session import Session
from inference.outcome import NotAnalysed, Outcome
from inference.sources.base import RecordedSource
from inference.sources.simulated import PhantomSource
from viewer import settings
from viewer.main_window import MainWindow
from viewer.settings import Settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
SCREENSHOTS = "IUS_SCREENSHOTS"
EVERY_SIZE = "IUS_EVERY_SIZE"
"""If set, each state is also photographed, and checked, at each of `SIZES`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who wants pictures runs what takes pictures, and nothing else."""
    if SCREENSHOTS in os.environ:
        items[:] = [item for item in items if "shoot" in getattr(item, "fixturenames", ())]


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of this test alone, and folders of documents and of data that aren't the tester's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_DOCUMENTS_DIR", str(tmp_path / "documents"))
    monkeypatch.setattr(settings, "AT_ONCE_S", 10.0)  # a busy machine takes longer than a window may wait
    monkeypatch.setattr(settings, "folder", lambda: tmp_path / "settings" / "ius")


@pytest.fixture(scope="session")
def imported_is_kept(qapp: QApplication) -> None:  # noqa: ARG001
    """Nothing of what is imported and collected by now is ever garbage: looking through it took 0.17 s a test."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def no_leaks(qapp: QApplication, imported_is_kept: None) -> Iterator[None]:  # noqa: ARG001
    """No test leaves a window or a thread behind: the next one would pay for it."""
    before = {id(widget) for widget in QApplication.topLevelWidgets()}
    yield
    qapp.processEvents()
    gc.collect()
    left = [w for w in QApplication.topLevelWidgets() if id(w) not in before and w.isVisible()]
    assert not left, left
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("ius-")]


Opened = RecordedSource | Refusal | None
Show = Callable[..., MainWindow]
INTRODUCED = Settings(introduced=True)


@pytest.fixture
def show(no_leaks: None, qtbot: QtBot, model: Model) -> Iterator[Show]:  # noqa: ARG001, F811
    """Opens a window on a source (the phantom by default) and waits for its first analysed frame."""
    windows: list[MainWindow] = []

    def shown(
        source: Opened = None,
        loaded: Model | Refusal | None = None,
        *,
        size: tuple[int, int] = (1280, 800),
        wait: bool = True,
        remembered: Settings = INTRODUCED,
        **options: object,
    ) -> MainWindow:
        opened = source if source is not None else PhantomSource(count=60)
        session = Session(lambda _: opened, lambda _: loaded or model)
        window = MainWindow(session, remembered, **options)  # type: ignore[arg-type]
        windows.append(window)
        window.setMinimumSize(window.minimumSize().boundedTo(QSize(*size)))  # as on a screen that is no larger
        window.resize(*size)
        window.show()
        window.handlers.open_source(SourceRequest("test"))
        window.handlers.open_model(None)
        if wait:
            qtbot.waitUntil(lambda: window.session.ready and window.meter.shown > 0, timeout=5000)
            assert not isinstance(window.shown, NotAnalysed)
        return window

    yield shown
    for window in windows:
        window.state.recording.stop()
        window.close()
        window.deleteLater()


@pytest.fixture
def at(qtbot: QtBot) -> Callable[[MainWindow, int], Outcome]:
    """Brings a window to one frame, painted with whatever was computed from it, and holds it there."""

    def held(window: MainWindow, index: int) -> Outcome:
        playback = window.session.playback
        assert playback is not None
        playback.pause()
        asked = monotonic()
        playback.seek(index)

        def there() -> bool:
            """This very delivery: a replay in a loop has shown the same frame before."""
            painted, shown = window.view.canvas.picture.painted, window.shown
            return (
                painted is not None
                and (painted.index, painted.captured_at >= asked) == (index, True)
                and window.view.canvas.contour.painted is painted
                and shown is not None
                and shown.frame is painted
            )

        qtbot.waitUntil(there, timeout=5000)
        assert window.shown is not None
        return window.shown

    return held


@pytest.fixture
def clinical_source() -> type[PhantomSource]:
    return Clinical


Shoot = Callable[[MainWindow, str], NDArray[np.int_]]
SMALL_SCREEN = (1366, 768)
SIZES = ((1120, 700), SMALL_SCREEN, (1920, 1080), (3840, 2160))


@pytest.fixture
def shoot(qtbot: QtBot) -> Shoot:
    """Takes the window's pixels (rows, cols, RGB), and saves them where somebody wants pictures.

    Whatever is photographed is a state: all its text must be legible, here and on the smallest screen.
    """
    folder = Path(os.environ[SCREENSHOTS]) if SCREENSHOTS in os.environ else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)

    def settle(window: MainWindow) -> None:
        """Everything up to date, and laid out: that takes several rounds of events."""
        window.refresh._slow_at = 0.0
        window.refresh.tick()
        qtbot.wait(30)
        with suppress(qtbot.TimeoutError):  # the assertion says it better
            qtbot.waitUntil(lambda: not cut_off(window), timeout=2000)

    def shot(window: MainWindow, name: str) -> NDArray[np.int_]:
        settle(window)
        image = window.grab().toImage()
        assert folder is None or image.save(str(folder / f"{name}.png"))
        pixels = pixels_of(image)
        assert cut_off(window) == []
        assert not faint(window, pixels)
        size = (window.width(), window.height())
        others = [other for other in (SIZES if EVERY_SIZE in os.environ else (SMALL_SCREEN,)) if other != size]
        if others and not window.isFullScreen():
            placed = window.view.canvas.placement
            for other in others:
                window.resize(*other)
                settle(window)
                if folder is not None and EVERY_SIZE in os.environ:
                    window.grab().save(str(folder / f"{name}@{other[0]}x{other[1]}.png"))
                assert cut_off(window) == [], other
            window.resize(*size)
            settle(window)
            # Whoever looks for the contour in these pixels asks the canvas where it is.
            qtbot.waitUntil(lambda: window.view.canvas.placement == placed, timeout=5000)
        return pixels

    return shot
