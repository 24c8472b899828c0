"""The engine against nnU-Net's own predictor and against the bare session, on the same frames and weights.

For the full-size plan and the real-time one, at three picture sizes: alternated runs, medians with quartiles, ratios;
what each step costs; start-up and memory of fresh processes; five folds with mirrors, the paper's way, once a size. The
full-size plan also in bfloat16, where OpenVINO and the processor can.

    python tests/benchmarks/bench_engine.py [--pairs N] [--plan full|realtime] [--no-paper]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from benchfile import heading, keep, quartiles, shown
from numpy.typing import NDArray
from rivals import ON, PLANS, SIZES, Clocked, Rival, built, frame_of, milliseconds, spacing_of
from starts import starts

from inference.contract import Mode
from inference.frame import Frame
from inference.model.engine import Engine
from inference.model.margin import Margin
from inference.model.preprocessing import prepare
from inference.model.providers import default_threads
from inference.model.segmentation import mask_of, regions_of
from inference.model.segmenter import Segmenter
from training.export import parity

ALLOWED_SHARE, ALLOWED_MS = 0.02, 4.0
"""Beside the network the engine may cost this share of it and these milliseconds."""
OTHERS_EVERY = 3
"""Only ours and the session run in every round; nnU-Net, the slowest, and bfloat16 need fewer for their ratios."""
PEERS = ("ours", "bare session", "nnU-Net")
INSIDE_EVERY = 6
"""And what goes on inside is looked at this many times less often."""


def measure(rival: Rival, frame: Frame, pairs: int) -> dict[str, object]:
    """Alternated runs of the engine, the bare session and nnU-Net on one frame."""
    engine, segmenter, spacing = rival.engine, Segmenter(rival.engine), spacing_of(frame)
    prepared = prepare(frame.pixels, spacing, engine.contract.input)
    tiles = [prepared.tile(corner) for corner in prepared.corners]
    session = engine._session
    jobs: dict[str, Callable[[], object]] = {
        "ours": lambda: segmenter(frame),
        "bare session": lambda: [session.run(None, {engine._input: tile}) for tile in tiles],
        "nnU-Net": lambda: rival.reference.predict(frame.pixels, spacing),
    }
    if rival.bfloat16 is not None:
        other = Segmenter(rival.bfloat16)
        jobs[rival.bfloat16.provider] = lambda: other(frame)
    rounds: list[dict[str, float]] = []
    for number in range(pairs):
        names = list(jobs) if number % OTHERS_EVERY == 0 else ["ours", "bare session"]
        # Every other round backwards, so that nobody profits from who went before.
        rounds.append({name: milliseconds(jobs[name]) for name in (names if number % 2 else reversed(names))})
    print(f"  {frame.cols}×{frame.rows}, {len(tiles)} tile{'s' * (len(tiles) > 1)}, {pairs} alternated pairs, ms")
    return {
        "tiles": len(tiles),
        "pairs": pairs,
        **judged(rounds),
        **inside(engine, frame, max(3, pairs // INSIDE_EVERY)),
    }


def judged(rounds: list[dict[str, float]]) -> dict[str, object]:
    """Times of all, ours beside the session against what is allowed, and ratios; printed."""
    times = {name: [one[name] for one in rounds if name in one] for name in (*PEERS, *(set(rounds[0]) - set(PEERS)))}
    over = [one["ours"] - one["bare session"] for one in rounds]
    ratio = [one["nnU-Net"] / one["ours"] for one in rounds if "nnU-Net" in one]
    allowed = ALLOWED_SHARE * float(np.median(times["bare session"])) + ALLOWED_MS
    for name, values in times.items():
        print(f"    {name:<34}{shown(values)}")
    within = bool(np.median(over) <= allowed)
    print(f"    {'ours beside the session':<34}{shown(over)}   {'within' if within else 'BEYOND'} {allowed:.2f}")
    print(f"    {'nnU-Net / ours':<34}{shown(ratio)}   {'SLOWER' * bool(np.median(ratio) < 1)}")
    return {
        "ms": {name: quartiles(values) for name, values in times.items()},
        "beside_the_session_ms": quartiles(over),
        "allowed_ms": round(allowed, 3),
        "within": within,
        "nnunet_to_ours": quartiles(ratio),
        **in_bfloat16(rounds),
    }


def in_bfloat16(rounds: list[dict[str, float]]) -> dict[str, object]:
    """How many times as fast bfloat16 is as ours in float32 and as nnU-Net, where it runs here; printed."""
    found = {}
    for fast in set(rounds[0]) - set(PEERS):
        for slow in ("ours", "nnU-Net"):
            ratio = [one[slow] / one[fast] for one in rounds if fast in one]
            print(f"    {f'{slow} / {fast}':<34}{shown(ratio)}")
            found[f"{slow} to {fast}"] = quartiles(ratio)
    return dict(found)


def inside(engine: Engine, frame: Frame, runs: int) -> dict[str, object]:
    """Where a frame's time goes, medians: all beside the session by its own clock, and each step; printed.

    The first figures are the same run's, whole less session; the thread's computing time does not suffer from a busy
    machine.
    """
    segmenter, session = Segmenter(engine), engine._session
    clock = engine._session = Clocked(session)
    beside, computing = [], []
    for _ in range(runs):
        clock.ms = clock.cpu_ms = 0.0
        began = time.thread_time()
        beside.append(milliseconds(lambda: segmenter(frame)) - clock.ms)
        computing.append((time.thread_time() - began) * 1e3 - clock.cpu_ms)
    engine._session = session
    costs = steps(engine, frame, runs)
    print(f"    {'the same by its own clock':<34}{shown(beside)}")
    print(f"    {'of which its thread computes':<34}{shown(computing)}")
    print("    steps: " + ", ".join(f"{name} {value:.2f}" for name, value in costs.items()))
    own = {"beside_the_session_by_its_own_clock_ms": quartiles(beside), "computing_ms": quartiles(computing)}
    return own | {"steps_ms": costs}


def steps(engine: Engine, frame: Frame, runs: int) -> dict[str, float]:
    """Median milliseconds of each step, one after another as in life."""
    spacing, recipe = spacing_of(frame), engine.contract.input
    prepared = prepare(frame.pixels, spacing, recipe)
    tile, logits = prepared.tile(prepared.corners[0]), [plausible(*recipe.patch) for _ in prepared.corners]
    margin = Margin(logits, prepared)
    mask = mask_of(margin, keep_largest=False)
    jobs: dict[str, Callable[[], object]] = {
        "prepare": lambda: prepare(frame.pixels, spacing, recipe),
        "one tile": lambda: engine.run(tile),
        "mask": lambda: mask_of(Margin(logits, prepared), keep_largest=False),
        "regions": lambda: regions_of(mask, margin, frame, engine.contract.reliability),
    }
    times = [{name: milliseconds(job) for name, job in jobs.items()} for _ in range(runs)]
    return {name: round(float(np.median([one[name] for one in times])), 3) for name in jobs}


def plausible(rows: int, cols: int) -> NDArray[np.float32]:
    """Logits (2, rows, cols) of one smooth tumour."""
    logits = np.full((2, rows, cols), -4, np.float32)
    blob = cv2.GaussianBlur(np.full((rows // 4, cols // 4), 8, np.float32), (0, 0), 5)
    logits[1, rows // 3 : rows // 3 + rows // 4, cols // 3 : cols // 3 + cols // 4] = blob
    return logits


def paper(work: Path) -> dict[str, object]:
    """Five folds with mirrors, nnU-Net's default: its predictor against one fused file, once a size; printed."""
    rival = built(work, "full", folds=5)
    reference = parity.Reference(rival.trained, Mode.THOROUGH)
    segmenter, found = Segmenter(rival.engine, mode=Mode.THOROUGH), {}
    print("five folds with mirrors, full plan, once a size, ms")
    for rows, cols in SIZES:
        frame = frame_of((rows, cols), "full")
        ours = milliseconds(lambda frame=frame: segmenter(frame))
        theirs = milliseconds(lambda frame=frame: reference.predict(frame.pixels, spacing_of(frame)))
        print(f"  {cols}×{rows}: ours {ours:.0f}, nnU-Net {theirs:.0f}, nnU-Net / ours {theirs / ours:.2f}")
        found[f"{cols}×{rows}"] = {"ours_ms": round(ours), "nnunet_ms": round(theirs), "ratio": round(theirs / ours, 3)}
    return found


def main() -> None:
    """Measure, print, keep; one plan alone is kept nowhere."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=30, help="alternated pairs a size (default: %(default)s)")
    parser.add_argument("--plan", choices=PLANS, help="one plan only, kept nowhere")
    parser.add_argument("--no-paper", action="store_true", help="leave out five folds with mirrors")
    given = parser.parse_args()
    print(heading(ON))
    figures: dict[str, object] = {"threads": default_threads()}
    for plan in [given.plan] if given.plan else PLANS:
        with tempfile.TemporaryDirectory() as folder:
            rival = built(Path(folder), plan)
            print(f"{plan} plan, {rival.engine.provider}, {default_threads()} threads")
            sizes = {f"{size[1]}×{size[0]}": measure(rival, frame_of(size, plan), given.pairs) for size in SIZES}
            figures[plan] = {"provider": rival.engine.provider, "sizes": sizes, "start": starts(rival)}
    if not given.no_paper:
        with tempfile.TemporaryDirectory() as folder:
            figures["five folds with mirrors"] = paper(Path(folder))
    if given.plan is None:
        keep("engine", figures, ON)


if __name__ == "__main__":
    main()
