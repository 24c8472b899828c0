"""Settings outlive the program, and a damaged file of them does not stop it."""

import os
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from viewer import settings


def test_settings_survive_and_rubbish_does_not(tmp_path: Path) -> None:
    kept = (
        settings.Settings(line_width=3.5, introduced=True, keep_recent=True)
        .with_recent("b.nii")
        .with_recent("a, b.dcm")
    )
    kept = kept.with_model("/models/a, b.onnx").with_model("/models/c.onnx").with_model("/models/a, b.onnx")
    settings.save(kept)
    assert settings.load() == kept
    assert kept.models == ("/models/a, b.onnx", "/models/c.onnx")
    assert kept.recent == ("a, b.dcm", "b.nii")
    for number in range(20):
        kept = kept.with_recent(str(number))
    assert len(kept.recent) == settings.RECENT
    (file,) = (tmp_path / "settings").rglob("*.ini")
    for width in ("broad", "nan", "inf", ""):  # with a width of "nan" no contour would be drawn
        file.write_text(f"[General]\nline_width={width}\nrecent=\n")
        assert settings.load() == settings.Settings()


def test_names_of_files_are_kept_only_if_the_user_wants_it(tmp_path: Path) -> None:
    asked = settings.Settings().with_recent("/data/Doe_Jane/sweep.dcm").with_model("/data/Doe_Jane/own.onnx")
    settings.save(asked)
    (file,) = (tmp_path / "settings").rglob("*.ini")
    assert "Doe" not in file.read_text()
    settings.save(replace(asked, keep_recent=True))
    assert settings.load() == replace(asked, keep_recent=True)
    settings.save(asked)
    assert "Doe" not in file.read_text(), "a list that was kept before is gone"
    assert settings.load().recent == settings.load().models == ()


def test_what_another_window_forgot_or_taught_is_not_undone(tmp_path: Path) -> None:
    """Two windows are open: names that were cleared in one of them came back with the next file opened in the other."""
    settings.save(settings.Settings(keep_recent=True, introduced=True).with_recent("Doe_Jane.dcm"))
    one, other = settings.load(), settings.load()
    memory = settings.Memory()

    def remember(changed: settings.Settings, before: settings.Settings) -> settings.Settings:
        memory.keep(changed, before)
        return changed

    one = remember(one.without_names(), one)
    one = remember(replace(one, keys={"snapshot": "F13"}), one)
    other = remember(other.with_recent("phantom.dcm"), other)
    other = remember(other.with_width(0.5), other)
    stored = settings.load()
    assert stored.recent == ("phantom.dcm",)
    assert stored.keys == {"snapshot": "F13"}
    assert stored.line_width == other.line_width
    remember(replace(one, keep_recent=False), one)
    other = remember(other.with_recent("another.dcm"), other)
    assert not settings.load().keep_recent
    (file,) = (tmp_path / "settings").rglob("*.ini")
    assert ".dcm" not in file.read_text()
    remember(replace(replace(other, keep_recent=False), keep_recent=True), replace(other, keep_recent=False))
    assert settings.load().recent == other.recent, "who asks for the list gets all that this window has opened"
    memory.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_only_their_owner_reads_them(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        settings.save(settings.Settings())
    finally:
        os.umask(before)
    (file,) = (tmp_path / "settings").rglob("*.ini")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_settings_that_do_not_answer_are_said_and_never_replaced(
    tmp_path: Path, stalled: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.save(settings.Settings(line_width=4.0, keys={"snapshot": "F13"}))
    (file,) = (tmp_path / "settings").rglob("*.ini")
    before = file.stat()
    stalled(file)
    monkeypatch.setattr(settings, "HOME_S", 0.3)
    began = monotonic()
    found = settings.load()
    assert monotonic() - began < 3
    assert found == settings.Settings(complaint=settings.DEAD.format(file.parent))
    memory = settings.Memory()
    memory.keep(found.with_width(1.0))
    memory.close()
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_settings_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "settings" / "ius" / settings.NAME).mkdir(parents=True)
    assert "cannot be read: check" in settings.load().complaint


def test_changes_that_cannot_be_kept_are_said_once(tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("in the way")
    memory = settings.Memory()
    for width in (1.0, 2.0):
        memory.keep(settings.Settings(line_width=width))
    told = memory.take()
    assert told is not None
    assert told[0] == settings.UNKEPT.format(settings.folder())
    assert memory.take() is None
    memory.close()


def test_a_home_that_dies_holds_nobody_up_while_settings_change(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_file, answers = os.replace, threading.Event()

    def waits(*given: Path) -> None:
        answers.wait()
        replace_file(*given)

    monkeypatch.setattr(os, "replace", waits)
    monkeypatch.setattr(settings, "AT_ONCE_S", 0.3)
    memory, began = settings.Memory(), monotonic()
    for number in range(10):
        memory.keep(settings.Settings(line_width=1.0 + number / 10))
    assert monotonic() - began < 1.0, "it waits once"
    answers.set()
    memory.close()
    assert settings.load().line_width == 1.9
