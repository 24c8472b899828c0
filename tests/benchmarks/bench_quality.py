"""What foretelling a contour's quality costs: CPU time of each score a frame, beside that of the whole analysis.

python tests/benchmarks/bench_quality.py [--model FILE] [--frames N]
"""

import argparse
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchfile import keep

from inference.assets import demo_clip_path, demo_model_path
from inference.contract import QualityScore
from inference.model.engine import Engine
from inference.model.quality import score_of
from inference.model.segmenter import Segmenter
from inference.sources import open_source


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    given = parser.parse_args()
    engine = Engine.load(given.model or demo_model_path(), threads=1)
    segmenter, source = Segmenter(engine), open_source(str(demo_clip_path()))
    frames = [source.read(index) for index in range(0, len(source), max(1, len(source) // given.frames))]
    spacings = [(one.spacing.row_mm, one.spacing.col_mm) for one in frames if one.spacing is not None]
    margins = [engine.segment(one.pixels, mm).margin for one, mm in zip(frames, spacings, strict=True)]
    figures = {"analysis_ms": _cpu_ms([lambda one=one: segmenter(one) for one in frames])}
    for kind in QualityScore:
        asked = [lambda one=one, kind=kind: score_of(kind, one.coarse, 2.0, 0.5) for one in margins]
        figures[f"{kind.value}_ms"] = _cpu_ms(asked)
    for name, value in figures.items():
        print(f"{name}: {value}")
    keep("quality", figures, "CPU time of the process, one thread, median over frames of the bundled clip")


def _cpu_ms(calls: list[Callable[[], object]]) -> float:
    """Median CPU time of a call, ms; what other programs take away meanwhile does not count."""
    marks = [time.process_time_ns()]
    for call in calls:
        call()
        marks.append(time.process_time_ns())
    return round(median(b - a for a, b in itertools.pairwise(marks)) / 1e6, 3)


if __name__ == "__main__":
    main()
