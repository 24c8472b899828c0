"""The status that `--status` writes for scripts: how many frames were captured, analysed, shown and dropped."""

from inference.live.model import Model
from inference.live.paint_meter import PaintMeter
from inference.live.stream import StreamStatus
from inference.outcome import Failed, NotAnalysed, NothingFound, Outcome, Tumour, UnknownSpacing

NAMES: dict[type, str] = {
    Tumour: "tumour",
    NothingFound: "none",
    Failed: "failed",
    UnknownSpacing: "not_analysed",
    NotAnalysed: "not_analysed",
}


def report(
    meter: PaintMeter, status: StreamStatus | None, model: Model | None, shown: Outcome | None, started_at: float
) -> dict[str, object]:
    """The status as JSON values; unknown values are null.

    Args:
        meter: measures what was painted.
        status: the stream's counts; None without a stream.
        model: the loaded model; None without one.
        shown: the outcome on the screen.
        started_at: `time.monotonic()` when the program started.
    """
    latency = meter.latency
    percentiles = dict.fromkeys(("p50", "p95", "p99"))
    if latency is not None:
        percentiles = {name: round(getattr(latency, name), 2) for name in percentiles}
    return {
        "captured": 0 if status is None else status.captured,
        "analysed": 0 if status is None else status.analysed,
        "shown": meter.shown,
        "dropped": 0 if status is None else status.dropped,
        "mismatched": meter.mismatched,
        "fps": round(meter.fps, 2),
        "latency_ms": percentiles,
        "provider": None if model is None else model.provider,
        "outcome": None if shown is None else NAMES[type(shown)],
        "area_mm2": round(shown.area_mm2, 2) if isinstance(shown, Tumour) and shown.area_mm2 is not None else None,
        "startup_s": None if meter.first_at is None else round(meter.first_at - started_at, 3),
    }
