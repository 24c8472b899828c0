"""Settings outlive the program, and a damaged file of them does not stop it."""

from pathlib import Path

from viewer import settings


def test_settings_survive_and_rubbish_does_not(tmp_path: Path) -> None:
    kept = settings.Settings(line_width=3.5, introduced=True).with_recent("b.nii").with_recent("a, b.dcm")
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
