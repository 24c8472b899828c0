"""What a source is called, now and at a later start."""

from pathlib import Path

import pytest

from inference.live.requests import DEMO, lasting


def test_a_file_is_called_by_its_whole_name_at_a_later_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another patient's folder a file of the same name would be opened."""
    monkeypatch.chdir(tmp_path)
    assert lasting("sweep.dcm") == str(tmp_path / "sweep.dcm")
    assert lasting(str(tmp_path / "sweep.dcm")) == str(tmp_path / "sweep.dcm")


@pytest.mark.parametrize(
    "text",
    [
        DEMO,
        "simulated:",
        "simulated:?disturb=lifted",
        "device:Grabber",
        "igtl://host:18944",
        "igtl://host/Image?transform=ProbeToTracker",
    ],
)
def test_what_is_no_file_keeps_its_address(text: str) -> None:
    assert lasting(text) == text
