"""The five-second versions of `make soak`: the same code on the same real senders, with patience for busy machines."""

from pathlib import Path

import numpy as np
import pytest
import soak_latency
import soak_live
import soak_memory
from figures import Figures
from PySide6.QtWidgets import QApplication
from senders import TRANSPORTS, Clip, has_rtsp, write_clip
from soak_memory import Sample

PATIENCE = 8.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return write_clip(tmp_path_factory.mktemp("clip"), 360, 640)


def figures() -> Figures:
    return Figures("test", "five seconds", PATIENCE)


@pytest.mark.parametrize("name", sorted(TRANSPORTS))
def test_a_signal_is_followed_lost_in_time_and_found_again(qapp: QApplication, clip: Clip, name: str) -> None:  # noqa: ARG001
    if name == "rtsp" and not has_rtsp():
        pytest.skip("gst-rtsp-server is not here: apt install python3-gi gir1.2-gst-rtsp-server-1.0")
    measured = figures()
    soak_live.follow(TRANSPORTS[name], clip, 2.0, measured)
    assert not measured.violations
    assert measured.values[f"{name}: threshold [ms]"] == 500.0


def test_frames_are_painted_in_time(qapp: QApplication, clip: Clip) -> None:  # noqa: ARG001
    measured = figures()
    soak_latency.measure(clip, 4.0, measured)
    assert measured.values["contours on another frame"] == 0
    assert float(measured.values["frames shown [fps]"]) > 1
    assert 0 < float(measured.values["capture to paint p50 [ms]"]) < 5000


@pytest.mark.parametrize("recording", [False, True])
def test_memory_is_watched_in_the_window(qapp: QApplication, clip: Clip, recording: bool) -> None:  # noqa: ARG001
    measured = figures()
    soak_memory.measure(clip, 15, 0.5, measured, recording=recording)
    name = "recording: " if recording else ""
    assert float(measured.values[f"{name}frames analysed"]) >= 15
    assert 50 < float(measured.values[f"{name}resident in the first tenth [MB]"]) < 4000
    assert 0 < float(measured.values[f"{name}ring, most [MB]"]) < 400
    assert not [text for text in measured.violations if "recording" in text and "not true" in text]


def test_growing_latency_is_seen_and_a_hiccup_is_not() -> None:
    at = np.arange(0.0, 600.0, 0.04)
    noise = np.random.default_rng(0).gamma(4.0, 8.0, at.shape)
    assert abs(soak_latency.slope(at, noise).growth_ms) < 1.0
    grown = soak_latency.slope(at, noise + at / 600 * 20)
    assert grown.growth_ms == pytest.approx(20.0, abs=1.0)
    assert grown.error_ms < 1.0
    hiccup = noise + np.where(np.abs(at - 590) < 2, 500.0, 0.0)
    assert abs(soak_latency.slope(at, hiccup).growth_ms) < 2.0


@pytest.mark.parametrize(("leak_mb", "violated"), [(0.0, False), (60.0, True)])
def test_a_leak_is_a_violation(leak_mb: float, violated: bool) -> None:
    measured = figures()
    noise = np.random.default_rng(0).normal(0.0, 4.0, 800)
    samples = [Sample(25 * n, 700.0 + noise[n] + leak_mb * n / 800, 60.0) for n in range(800)]
    soak_memory.judge(samples, measured)
    assert bool(measured.violations) is violated


def test_a_violation_fails_the_run_and_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("figures.FOLDER", tmp_path)
    kept = Figures("kept", "nothing")
    kept.add("latency", 120.0, "ms", most=100.0)
    kept.add("unknown", float("nan"), "ms", most=100.0)
    assert kept.end() == 1
    assert len(kept.violations) == 2
    assert "latency" in (tmp_path / "kept.json").read_text()
    assert Figures("fine", "nothing").end() == 0
