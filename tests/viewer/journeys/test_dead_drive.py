"""A drive that does not answer: the picture goes on, one sentence says so, and the window closes."""

import shutil
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from pytestqt.qtbot import QtBot
from recordings import frames_in, start

import inference.sources as sources
from inference.jobs import model_glances, record_list
from inference.live.requests import SourceRequest
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource
from viewer import app
from viewer.main_window import MainWindow

GIVEN_UP_S, LONGEST_S = 3.0, 2.0
"""When the files are given up, and the longest standstill: a window that waited for one would stand for the former."""


def test_the_picture_goes_on_while_files_do_not_answer(
    show: Callable[..., MainWindow],
    qtbot: QtBot,
    recorded: Callable[[MainWindow], RecordSource],
    records: Path,
    stalled: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module, name in ((sources, "ANSWER_S"), (record_list, "LOOK_S"), (model_glances, "GLANCE_S")):
        monkeypatch.setattr(module, name, GIVEN_UP_S)
    window = show(PhantomSource(count=60))
    start(window, qtbot, "GL-017")
    qtbot.waitUntil(frames_in(window, 6), timeout=10_000)
    recorded(window)
    first = next(records.iterdir())
    dead, model = records / "iUS-20260301-101500.mcap", records / "m.onnx"
    shutil.copy(first, dead)
    model.write_bytes(b"a model")
    stalled(dead, model)
    monkeypatch.setattr(window.session, "_open_source", app.open_source)
    longest, last = 0.0, monotonic()

    def said() -> bool:
        nonlocal longest, last
        now = monotonic()
        longest, last = max(longest, now - last), now
        window.refresh._slow_at = 0.0
        listed = [row.record.words for row in window.view.records.rows]
        return window.view.picture_area.notice.text() == sentence and sentence in listed

    sentence = f"{dead.name} does not answer: is its drive connected?"
    shown = window.meter.shown
    window.state.remember(window.state.settings.with_model(str(model)))
    window.state.look_for_models()
    window.records.toggle()
    window.handlers.open_source(SourceRequest(str(dead)))
    qtbot.waitUntil(said, timeout=20_000)
    assert longest < LONGEST_S
    assert window.meter.shown > shown
    assert window.session.info is not None
    begun = monotonic()
    window.close()
    assert monotonic() - begun < 10
