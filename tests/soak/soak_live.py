"""A live signal followed, lost and found again: ffmpeg over udp, gst-rtsp-server, a pyigtl server, each really killed.

Each is followed for a minute by the real window. When the sender is killed the window must say so within 150 ms of its
own threshold, contour and number gone in one round of painting, and find the sender again.

    python tests/soak/soak_live.py [--seconds 60] [--transport udp]
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from figures import Figures
from senders import FPS, TRANSPORTS, Clip, Transport, free_port, has_rtsp, running, write_clip
from sitting import POPULATION, analysed, spin, viewer
from witness import Round, Witness

from inference.live.health import STALE_AFTER_S, Health
from inference.outcome import Tumour
from viewer.main_window import MainWindow

PROMPT_MS = 150.0
"""From the guard's own threshold to the screen."""
LOSES_S, FINDS_S = 10.0, 30.0


def follow(transport: Transport, clip: Clip, seconds: float, figures: Figures) -> None:
    """One transport: follow it, lose it, find it again."""
    port, name = free_port(transport.port), transport.name
    command = transport.command(clip, port)
    with ExitStack() as stack:
        sender = stack.enter_context(running(command, says_ready=transport.says_ready))
        window = stack.enter_context(viewer(transport.address.format(port)))
        witness = Witness(window)
        analysed(window, None if transport.scaled else clip)
        witness.rounds.clear()
        _follow(window, seconds, f"{name}: ", figures)
        torn = sum(shown.torn for shown in witness.rounds)
        figures.add(f"{name}: rounds with contour or number alone", torn, most=0)
        # The signal is lost while a contour is on the screen, so that there is something to take away.
        figures.check(f"{name}: a contour stands there", holds=spin(lambda: _contoured(window), 15.0))
        killed_at = monotonic()
        sender.kill()
        lost = spin(lambda: witness.rounds[-1].title.startswith("SIGNAL LOST"), LOSES_S)
        figures.check(f"{name}: says that the signal is lost", holds=lost)
        _lose(window, witness.rounds, killed_at, f"{name}: ", figures)
        again = monotonic()
        stack.enter_context(running(command, says_ready=transport.says_ready))
        shown = window.meter.shown
        found = spin(lambda: window.meter.shown > shown + 5 and _health(window) is Health.RUNNING, FINDS_S)
        figures.check(f"{name}: finds it again", holds=found)
        figures.add(f"{name}: found after", monotonic() - again, "s")
        figures.add(f"{name}: contours on another frame", window.meter.mismatched, most=0)
        # A scale in the signal comes back with it; one given by hand may be another depth's by now.
        scaled = window.shown is not None and window.shown.frame.spacing is not None
        figures.check(f"{name}: scale {'is back' if transport.scaled else 'is void'}", holds=scaled == transport.scaled)


def _follow(window: MainWindow, seconds: float, name: str, figures: Figures) -> None:
    """Watch the stream run, and note every moment in which it did not."""
    status = window.session.status()
    assert status is not None
    before, begun, looks, stops = status.captured, monotonic(), 0, 0

    def look() -> bool:
        nonlocal looks, stops
        looks += 1
        stops += _health(window) is not Health.RUNNING
        return False

    spin(look, seconds)
    after = window.session.status()
    assert after is not None
    took = monotonic() - begun
    rate = (after.captured - before) / took
    figures.add(f"{name}followed for", took, "s")
    figures.add(f"{name}frames in", rate, "fps")
    # A machine that does other things too may stand still by itself.
    quiet = figures.patience == 1
    figures.add(f"{name}frames missed", max(0.0, 100 * (1 - rate / FPS)), "%", most=10.0 if quiet else None)
    figures.add(f"{name}time in which it was not live", 100 * stops / looks, "%", most=0.0 if quiet else None)


def _lose(window: MainWindow, rounds: list[Round], killed_at: float, name: str, figures: Figures) -> None:
    """Judge what was painted after the sender was killed."""
    status = window.session.status()
    assert status is not None
    assert status.last_frame_at is not None
    said = next((r for r in rounds if r.at > killed_at and r.title.startswith("SIGNAL LOST")), None)
    if said is None:
        return
    threshold_at = status.last_frame_at + STALE_AFTER_S
    until_then = [r for r in rounds if killed_at < r.at <= said.at]
    figures.add(f"{name}threshold", STALE_AFTER_S * 1e3, "ms")
    figures.add(f"{name}threshold to the screen", (said.at - threshold_at) * 1e3, "ms", most=PROMPT_MS)
    figures.add(f"{name}kill to the screen", (said.at - killed_at) * 1e3, "ms")
    gone = not said.contour and said.number == "—" and not any(r.torn for r in until_then)
    figures.check(f"{name}contour and number gone in one round", holds=gone)


def _contoured(window: MainWindow) -> bool:
    return isinstance(window.shown, Tumour) and window.readout_state is not None and window.readout_state.contour


def _health(window: MainWindow) -> Health:
    return window.session.condition(window.shown).health


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--transport", choices=sorted(TRANSPORTS), action="append")
    wanted = parser.parse_args()
    figures = Figures("live", f"1280×720 at {FPS} fps (OpenIGTLink 640×512), {POPULATION}")
    figures.check("gst-rtsp-server is here", holds=has_rtsp())
    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder))
        for name in wanted.transport or [t for t in TRANSPORTS if t != "rtsp" or has_rtsp()]:
            follow(TRANSPORTS[name], clip, wanted.seconds, figures)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
