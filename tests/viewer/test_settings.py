"""Settings outlive the program, and a damaged file of them does not stop it."""

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

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
    file.write_text("[General]\nline_width=broad\nrecent=\n")
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_only_their_owner_reads_them(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        settings.save(settings.Settings())
    finally:
        os.umask(before)
    (file,) = (tmp_path / "settings").rglob("*.ini")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
