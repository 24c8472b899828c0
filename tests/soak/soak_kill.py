"""Kill a real recording at random moments; each record must open and hold every frame up to the last flush.

    .venv/bin/python tests/soak/soak_kill.py [--kills 20] [--longest 4] [--seed 0] [--only-kills]

A child records the phantom at 1280×720 and 25 fps and says what it has captured and flushed. It gets SIGKILL after
0.5 s to the longest. Then: every frame that was flushed is there, to the pixel; nothing older than a second at the
moment of the kill is missing; the record says where it ends. As root, another child fills a small tmpfs.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import cv2
import numpy as np

from inference.frame import Frame
from inference.outcome import Analysis, Tumour
from inference.recording.recorder import Recorder
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource

ROWS, COLS, FPS, COUNT = 720, 1280, 25, 25
LOST_S = 1.0
"""Captured this long before the kill, a frame has to be there."""
DISK_MB = 24


def shown(source: PhantomSource, index: int) -> Frame:
    """Frame `index` of an endless sweep, as large as a grabber's and as noisy as speckle, half of a megabyte packed."""
    frame = source.read(index % COUNT)
    picture = cv2.resize(frame.pixels, (COLS, ROWS), interpolation=cv2.INTER_NEAREST)
    noise = np.random.default_rng(index % COUNT).integers(0, 60, picture.shape, np.uint8)
    return replace(frame, index=index, pixels=np.where(picture > 0, picture - noise, 0), captured_at=monotonic())


def child(path: Path) -> None:
    """Record until killed or stopped; one JSON line a frame."""
    with PhantomSource(count=COUNT) as source:
        analysis = Analysis("threshold", "0" * 64, "CPU", 16.0, 14.0, demonstration=False)
        recorder, due, index = Recorder(path, replace(source.info, rows=ROWS, cols=COLS)), monotonic(), 0
        while True:
            frame = shown(source, index)
            recorder.frame(frame)
            mask = (frame.pixels > 110).astype(np.uint8)
            recorder.outcome(Tumour(frame, analysis, mask, ()))
            status = recorder.status()
            said = {"at": frame.captured_at, "index": index, "flushed": status.frames, "error": status.error}
            print(json.dumps(said | {"dropped": status.dropped}), flush=True)
            index, due = index + 1, due + 1 / FPS
            sleep(max(0.0, due - monotonic()))
            if status.error and index > status.frames + FPS:
                return


def kill(folder: Path, number: int, seconds: float) -> list[str]:
    """One recording killed after so many seconds; what is wrong with its record."""
    path = folder / f"killed-{number}.mcap"
    with subprocess.Popen([sys.executable, __file__, "--child", str(path)], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        first = run.stdout.readline()
        sleep(seconds)
        run.send_signal(signal.SIGKILL)
        at = monotonic()
        lines = [first, *run.stdout.read().split("\n")]
    told = [json.loads(line) for line in lines if line.rstrip().endswith("}")]
    with RecordSource(path) as record, PhantomSource(count=COUNT) as source:
        wrong, lost = _compared(record, source, told, at)
        size = path.stat().st_size / 1e6
        print(
            f"kill {number:2} after {seconds:4.2f} s: {told[-1]['index'] + 1} captured, {told[-1]['flushed']} flushed, "
            f"{len(record)} in the record of {size:.1f} MB, {lost * 1e3:.0f} ms lost, {told[-1]['dropped']} dropped"
        )
        if record.finished or "cut off at" not in record.info.notice:
            wrong.append("it does not say where it ends")
    path.unlink()
    return [f"kill {number}: {sentence}" for sentence in wrong]


def _compared(record: RecordSource, source: PhantomSource, told: list[dict], at: float) -> tuple[list[str], float]:
    """What is wrong, and how long before the kill the first frame that is missing was captured, seconds."""
    wrong, places = [], [record.place(index) for index in range(len(record))]
    if len(record) < told[-1]["flushed"]:
        wrong.append(f"{told[-1]['flushed']} frames were flushed, {len(record)} are there")
    for number, index in enumerate(places):
        if not np.array_equal(record.read(number).pixels, shown(source, index).pixels):
            wrong.append(f"frame {number} is another picture")
    there = frozenset(places)
    missing = [at - line["at"] for line in told if line["index"] not in there]
    old = sum(age > LOST_S for age in missing)
    if old > told[-1]["dropped"]:
        wrong.append(f"{old} frames older than a second are missing")
    return wrong, max(missing, default=0.0)


def fill(folder: Path) -> list[str]:
    """A disk that fills: the record stops with its sentence, all before is there, and the pictures go on."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        print("full disk: no tmpfs may be mounted here; left out")
        return []
    try:
        run = subprocess.run(
            [sys.executable, __file__, "--child", str(disk / "full.mcap")],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        last = json.loads(run.stdout.splitlines()[-1])
        with RecordSource(disk / "full.mcap") as record:
            print(
                f"full disk of {DISK_MB} MB: {len(record)} frames kept, {last['index'] + 1} captured: {last['error']}"
            )
            stopped = last["error"].startswith("The disk is full") and len(record) == last["flushed"]
        return [] if stopped else ["the full disk was not told, or cost frames"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=4.0, metavar="SECONDS")
    parser.add_argument("--only-kills", action="store_true", help="leave out the full disk")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.child is not None:
        child(wanted.child)
        return 0
    moments, wrong = random.Random(wanted.seed), []
    with tempfile.TemporaryDirectory() as name:
        for number in range(1, wanted.kills + 1):
            wrong += kill(Path(name), number, moments.uniform(0.5, wanted.longest))
        if os.name == "posix" and os.geteuid() == 0 and not wanted.only_kills:
            wrong += fill(Path(name))
    print("\n".join(wrong) or f"{wanted.kills} kills: every record whole up to its last flush")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
