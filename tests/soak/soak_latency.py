"""Capture to paint on a live 1280×720 signal at 25 frames a second, and whether it grows over ten minutes.

ffmpeg sends the bundled clip over udp, encoded beforehand; the real window decodes, guards, analyses with the bundled
model, keeps the last half minute and paints. Capture is the moment a decoded picture is there; the encoder, the network
and the scanner's own delay come before it.

    python tests/soak/soak_latency.py [--seconds 600]
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
from figures import Figures
from numpy.typing import NDArray
from senders import FPS, TRANSPORTS, Clip, free_port, running, write_clip
from sitting import POPULATION, analysed, resident_mb, spin, viewer
from witness import Witness

MOST_P95_MS = 100.0
MOST_GROWTH_MS = 5.0
"""Over the whole run."""
WINDOW_S = 10.0
WARM_S = 5.0
"""Left out at the start: caches fill, and the sender's first pictures are caught up with."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A straight line through the medians of windows of `WINDOW_S`.

    Attributes:
        growth_ms: its rise over the whole run.
        error_ms: standard error of that; NaN with fewer than three windows.
    """

    growth_ms: float
    error_ms: float


def slope(at: NDArray[np.float64], latency_ms: NDArray[np.float64], window_s: float = WINDOW_S) -> Slope:
    """How latency grows, from (n,) times in seconds and (n,) latencies; medians, so that one hiccup is no growth."""
    windows = np.floor((at - at[0]) / window_s)
    middle = np.array([at[windows == w].mean() for w in np.unique(windows)])
    medians = np.array([np.median(latency_ms[windows == w]) for w in np.unique(windows)])
    if len(medians) < 3:
        return Slope(float(medians[-1] - medians[0]), float("nan"))
    rate, offset = np.polyfit(middle, medians, 1)
    left = medians - (rate * middle + offset)
    spread = np.sqrt((left @ left) / (len(medians) - 2) / ((middle - middle.mean()) ** 2).sum())
    return Slope(float(rate * (at[-1] - at[0])), float(spread * (at[-1] - at[0])))


def measure(clip: Clip, seconds: float, figures: Figures) -> None:
    """Run the window on the stream for a while."""
    transport, port = TRANSPORTS["udp"], free_port(TRANSPORTS["udp"].port)
    with (
        running(transport.command(clip, port)),
        viewer(transport.address.format(port)) as window,
    ):
        witness = Witness(window)
        analysed(window, clip)
        spin(lambda: False, min(WARM_S, seconds / 4))
        witness.latencies.clear()
        before, begun, held = window.session.status(), monotonic(), resident_mb()
        spin(lambda: False, seconds)
        after, took, grown = window.session.status(), monotonic() - begun, resident_mb() - held
        mismatched = window.meter.mismatched
    assert before is not None
    assert after is not None
    figures.add("frames in", (after.captured - before.captured) / took, "fps")
    figures.add("frames analysed", (after.analysed - before.analysed) / took, "fps")
    figures.add("frames shown", len(witness.latencies) / took, "fps")
    figures.add("frames dropped", after.dropped - before.dropped)
    figures.add("resident memory more than at the begin", grown, "MB")
    figures.add("contours on another frame", mismatched, most=0)
    judge(np.array(witness.latencies), figures)


def judge(painted: NDArray[np.float64], figures: Figures) -> None:
    """Latency of (n, 2) rows of (painted at, capture to paint), seconds."""
    at, latency_ms = painted[:, 0], painted[:, 1] * 1e3
    for name, percent, most in (("p50", 50, None), ("p95", 95, MOST_P95_MS), ("p99", 99, None), ("worst", 100, None)):
        figures.add(f"capture to paint {name}", float(np.percentile(latency_ms, percent)), "ms", most=most)
    grown = slope(at, latency_ms, min(WINDOW_S, (at[-1] - at[0]) / 5))
    figures.add("over", at[-1] - at[0], "s")
    figures.add("growth over that time", grown.growth_ms, "ms", most=MOST_GROWTH_MS)
    figures.add("its standard error", grown.error_ms, "ms")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    figures = Figures("latency", f"1280×720 at {FPS} fps by udp, {POPULATION}")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(write_clip(Path(folder)), wanted.seconds, figures)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
