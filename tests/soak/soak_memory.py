"""Memory of the viewer on a live signal once the last half minute is full: 20,000 frames must cost less than 20 MB.

ffmpeg sends the bundled clip over udp at 1280×720; resident memory is read once a second; once without and once with a
record being written.

    python tests/soak/soak_memory.py [--frames 20000]
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figures import Figures
from senders import FPS, TRANSPORTS, Clip, free_port, running, write_clip
from sitting import POPULATION, analysed, resident_mb, spin, viewer

from inference.live.review import HELD_S
from inference.live.ring import LARGEST
from viewer.main_window import MainWindow

FRAMES = 20_000
MOST_GROWTH_MB = 20.0
EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at one moment: analysed frames so far, resident MB, MB of the ring's pictures."""

    frames: int
    resident_mb: float
    ring_mb: float


def sample(window: MainWindow) -> Sample:
    """Look at it now."""
    status, chain = window.session.status(), window.session._chain
    assert status is not None
    assert chain is not None
    ring = chain.ring
    assert ring is not None
    return Sample(status.analysed, resident_mb(), ring.size / 1e6)


def measure(clip: Clip, frames: int, fill_s: float, figures: Figures, *, recording: bool) -> None:
    """Fill the ring, then watch it for so many analysed frames, with or without writing a record of them."""
    transport, port = TRANSPORTS["udp"], free_port(TRANSPORTS["udp"].port)
    with (
        running(transport.command(clip, port)),
        viewer(transport.address.format(port)) as window,
    ):
        analysed(window, clip)
        if recording:
            window.state.recording.start()
        spin(lambda: False, fill_s)
        samples, begun = [sample(window)], sample(window).frames
        while samples[-1].frames - begun < frames:
            if spin(lambda: window.session.source is None, EVERY_S):
                raise RuntimeError("the stream ended")
            samples.append(sample(window))
        figures.check(f"{'re' if recording else 'no re'}cording", holds=window.state.recording.running is recording)
    judge(samples, figures, "recording: " if recording else "")


def judge(samples: Sequence[Sample], figures: Figures, name: str = "") -> None:
    """A straight line through resident memory against frames, and the rise it tells."""
    frames = np.array([s.frames for s in samples], float)
    resident = np.array([s.resident_mb for s in samples])
    per_frame = float(np.polyfit(frames, resident, 1)[0]) if len(samples) > 2 else 0.0
    watched = frames[-1] - frames[0]
    figures.add(f"{name}frames analysed", watched)
    figures.add(f"{name}ring, most", max(s.ring_mb for s in samples), "MB", most=LARGEST / 1e6)
    tenth = max(1, len(samples) // 10)
    first, last = float(np.median(resident[:tenth])), float(np.median(resident[-tenth:]))
    figures.add(f"{name}resident in the first tenth", first, "MB")
    figures.add(f"{name}resident in the last tenth", last, "MB")
    figures.add(f"{name}slope", per_frame * 1e3, "MB/1000 frames")
    figures.add(f"{name}growth over the run", per_frame * watched, "MB", most=MOST_GROWTH_MB)
    figures.add(f"{name}last tenth less first tenth", last - first, "MB", most=MOST_GROWTH_MB)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=FRAMES)
    figures = Figures("memory", f"1280×720 at {FPS} fps by udp, {POPULATION}")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder))
        for recording in (False, True):
            measure(clip, wanted.frames, HELD_S + 2 * EVERY_S, figures, recording=recording)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
