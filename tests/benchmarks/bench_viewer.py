"""The viewer end to end: start to the first painted frame, memory, pace and latency, beside a loop without a window.

The peer is the shortest program that a researcher writes: decode, mask the sector, the same session through the same
segmenter, contour drawn into the picture by OpenCV, nothing shown. Past its limits it fails. Run it on a quiet machine.

    python tests/benchmarks/bench_viewer.py [--seconds 15] [--starts 3] [--model FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "soak"))

from benchfile import heading, keep  # noqa: E402
from cpu import by_stage  # noqa: E402
from figures import Figures  # noqa: E402
from senders import TRANSPORTS, Clip, free_port, running, udp, write_clip  # noqa: E402
from sitting import POPULATION, analysed, spin, viewer  # noqa: E402
from soak_memory import resident_mb  # noqa: E402
from witness import Witness  # noqa: E402

from inference.assets import demo_clip_path, demo_model_path  # noqa: E402
from inference.frame import Frame, Origin, View  # noqa: E402
from inference.model.engine import Engine  # noqa: E402
from inference.model.segmenter import Segmenter  # noqa: E402
from inference.outcome import Analysis, NothingFound, Tumour  # noqa: E402
from inference.sector import GrowingSector  # noqa: E402
from inference.sources import open_source  # noqa: E402
from inference.spacing import PixelSpacing, Provenance  # noqa: E402
from viewer.main_window import MainWindow  # noqa: E402

LIVE = ((720, 1280, 25), (720, 1280, 60), (1080, 1920, 30))
"""Rows, columns and frames a second of what is sent."""
ANALYSED = 50.0
"""Percent of the frames that must be analysed at least: every second one."""
P95_MS, P99_MS = 66.0, 80.0
"""Capture to paint."""
FLOOR = 1.3
"""Capture to paint over the bare loop, medians."""


def starts(count: int, model: Path, figures: Figures) -> None:
    """Seconds from the program's first line to the first analysed frame on the screen, each start a new process."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        status = Path(folder) / "status.json"
        homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"), folder)
        environment = os.environ | homes | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
        for _ in range(count):
            program = [sys.executable, "-m", "viewer.app", "--demo", "--model", str(model)]
            command = [*program, "--exit-after", "8", "--status", str(status)]
            subprocess.run(command, env=environment, check=True, capture_output=True)
            seconds.append(float(json.loads(status.read_text())["startup_s"]))
    figures.add("start to the first analysed frame, median", float(np.median(seconds)), "s")
    figures.add("start to the first analysed frame, worst", max(seconds), "s")


def run(name: str, source: str, model: Path, clip: Clip | None, seconds: float, figures: Figures) -> float:
    """The window on a source for a while; answers the median of capture to paint, ms."""
    with viewer(source, "--model", str(model)) as window:
        witness = Witness(window)
        analysed(window, clip)
        spin(lambda: False, 3.0)
        witness.latencies.clear()
        before, cpu, begun = window.session.status(), by_stage(), time.monotonic()
        analyses: list[Analysis] = []
        spin(lambda: _look(window, analyses), seconds)
        after, took = window.session.status(), time.monotonic() - begun
        spent, memory = {stage: value - cpu[stage] for stage, value in by_stage().items()}, resident_mb()
    assert before is not None
    assert after is not None
    latency_ms = np.array([late for _, late in witness.latencies]) * 1e3
    captured, counted = after.captured - before.captured, after.analysed - before.analysed
    missing = max(0.0, 1 - counted / captured)  # one that came just before the first count may be painted in it
    figures.add(f"{name}: not analysed", 100 * missing, "% of frames", most=100 - ANALYSED)
    figures.add(f"{name}: frames in", captured / took, "fps")
    figures.add(f"{name}: frames shown", len(latency_ms) / took, "fps")
    for percent, most in ((50, None), (95, P95_MS), (99, P99_MS)):
        figures.add(f"{name}: capture to paint p{percent}", float(np.percentile(latency_ms, percent)), "ms", most=most)
    for stage, value in spent.items():
        figures.add(f"{name}: CPU, {stage}", 1e3 * value / counted, "ms a frame analysed")
    figures.add(f"{name}: CPU, all", 100 * sum(spent.values()) / took, "% of a core")
    rest_ms = [analysis.latency_ms - analysis.network_ms for analysis in analyses]
    figures.add(f"{name}: network", float(np.median([analysis.network_ms for analysis in analyses])), "ms")
    figures.add(f"{name}: rest of the analysis, with its waits", float(np.median(rest_ms)), "ms")
    figures.add(f"{name}: resident", memory, "MB")
    return float(np.median(latency_ms))


def _look(window: MainWindow, analyses: list[Analysis]) -> bool:
    """Note how what is on the screen was analysed."""
    if isinstance(window.shown, Tumour | NothingFound):
        analyses.append(window.shown.analysis)
    return False


def bare_clip(model: Path, figures: Figures, seconds: float) -> float:
    """The bundled clip without window, threads, guards and ring; median ms a frame."""
    with open_source(str(demo_clip_path())) as source:
        frames = (source.read(index % len(source)) for index in range(100_000))
        return bare("demo clip", frames, model, seconds, figures)


def bare_video(name: str, model: Path, clip: Clip, figures: Figures, seconds: float) -> float:
    """The video that is sent live, read from its file, without what lies outside the sector; median ms a frame."""
    spacing = PixelSpacing(clip.spacing_mm, clip.spacing_mm, Provenance.RULER)

    def frames() -> Iterator[Frame]:
        index, sector = 0, GrowingSector()
        while True:
            capture = cv2.VideoCapture(str(clip.video), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
            while True:
                began = time.monotonic()
                decoded, picture = capture.read()
                if not decoded:
                    break
                pixels = sector.apply(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False))
                yield Frame(index, pixels, spacing, began, Origin("bare", View.NATIVE))
                index += 1

    return bare(name, frames(), model, seconds, figures)


def bare(name: str, frames: Iterable[Frame], model: Path, seconds: float, figures: Figures) -> float:
    """Analyse and draw frame after frame, as fast as it goes."""
    segmenter, times, begun = Segmenter(Engine.load(model)), [], time.monotonic()
    cpu = time.process_time()
    for frame in frames:
        started = time.perf_counter()
        outcome = segmenter(frame)
        if isinstance(outcome, Tumour):
            canvas = cv2.cvtColor(frame.pixels, cv2.COLOR_GRAY2BGR)
            outlines = [c.round().astype(np.int32) for region in outcome.regions for c in region.contours]
            cv2.polylines(canvas, outlines, isClosed=True, color=(255, 201, 76), thickness=2)
        times.append((time.perf_counter() - started) * 1e3)
        if time.monotonic() - begun > seconds:
            break
    figures.add(f"{name}: bare loop, CPU of all", 1e3 * (time.process_time() - cpu) / len(times), "ms a frame")
    figures.add(f"{name}: bare loop, analysis and drawing p50", float(np.median(times)), "ms")
    return float(np.median(times))


def main() -> int:
    """Measure and print; the bundled model's figures are kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--model", type=Path, default=demo_model_path(), help="default: the bundled one")
    wanted = parser.parse_args()
    model, seconds = wanted.model, wanted.seconds
    figures = Figures("viewer", f"the window on the demo clip 512×512 at 30 fps, and on videos by udp; {POPULATION}")
    print(heading(figures.on), f"model {model.name}", sep="\n")
    starts(wanted.starts, model, figures)
    ours = run("demo clip", str(demo_clip_path()), model, None, seconds, figures)
    figures.add("demo clip: ratio to the bare loop", ours / bare_clip(model, figures, seconds), most=FLOOR)
    for rows, cols, fps in LIVE:
        name = f"{cols}×{rows} at {fps} fps"
        with tempfile.TemporaryDirectory() as folder:
            clip, transport = write_clip(Path(folder), rows, cols), TRANSPORTS["udp"]
            port = free_port(transport.port)
            with running(udp(clip, port, fps)):
                ours = run(name, transport.address.format(port), model, clip, seconds, figures)
            ratio = ours / bare_video(name, model, clip, figures, seconds)
            figures.add(f"{name}: ratio to the bare loop", ratio, most=FLOOR)
    if model == demo_model_path():
        keep("viewer", figures.values, figures.on)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
