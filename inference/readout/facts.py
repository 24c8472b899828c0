"""The facts below the state: scale and its provenance, model, provider, age, drops. Pure functions."""

from inference.live.health import STALE_AFTER_S
from inference.live.model import Model
from inference.live.paint_meter import PaintMeter
from inference.live.stream import StreamStatus
from inference.outcome import NothingFound, Outcome, Tumour
from inference.readout.formatting import spaced
from inference.readout.states import DASH
from inference.spacing import PixelSpacing

FACTS = ("Scale", "Scale from", "Model")
"""The rows below the state, in order. A new row needs a name here and a value in `facts`."""
FALLBACK = ", fallback"
DETAILS = ("File", "Device", "Age since capture", "Dropped")
"""What nobody needs at a glance: it stands in the panel of device, timing and counts."""


def facts(
    shown: Outcome | None,
    model: Model | None,
    status: StreamStatus | None,
    meter: PaintMeter,
    now: float,
    *,
    calibrating: bool = False,
) -> dict[str, str]:
    """The value of each of `FACTS` and `DETAILS`.

    While the user calibrates, the picture stands still on purpose and has no age.
    """
    return {
        "Scale": DASH if shown is None else size_words(shown.frame.spacing),
        "Scale from": DASH if shown is None or shown.frame.spacing is None else shown.frame.spacing.provenance.words,
        "Model": DASH if model is None else _model(model, shown),
        "File": DASH if model is None else "verified on this computer",
        "Device": DASH if model is None else _device(model, shown),
        "Age since capture": DASH if calibrating else _age(shown, meter, now),
        "Dropped": DASH if status is None else f"{spaced(status.dropped)} of {spaced(status.captured)}",
    }


def scale_words(spacing: PixelSpacing | None) -> str:
    """Millimetres per pixel, and where they come from."""
    return size_words(spacing) + ("" if spacing is None else f" · {spacing.provenance.words}")


def size_words(spacing: PixelSpacing | None) -> str:
    """Millimetres per pixel."""
    if spacing is None:
        return "unknown"
    row, col = f"{spacing.row_mm:.3g}", f"{spacing.col_mm:.3g}"
    return f"{row if row == col else f'{row} × {col}'} mm per pixel"


def _model(model: Model, shown: Outcome | None) -> str:
    """Its name; a fallback is said here too, since it may be why the contour lags."""
    return model.contract.title + (FALLBACK if FALLBACK in _device(model, shown) else "")


def _device(model: Model, shown: Outcome | None) -> str:
    """The provider that the model really runs on; the model card says why it is not a faster one.

    A graphics card can fail while the model runs, so what the newest answer was computed on counts. The model card also
    says whose bfloat16 it is: this row has room for some thirty letters.
    """
    analysis = shown.analysis if isinstance(shown, Tumour | NothingFound) else None
    provider = model.provider if analysis is None else analysis.provider
    took = "" if analysis is None else f" · {analysis.latency_ms:.0f} ms"
    return provider.removeprefix("OpenVINO ") + _instead(model, provider) + took


def _instead(model: Model, provider: str) -> str:
    """That it is not what could be expected; a fallback is only one from a device that is there."""
    no_card = [sentence for sentence in model.fallbacks if "not tried: no NVIDIA driver" in sentence]
    of_the_file = [sentence for sentence in model.fallbacks if sentence.startswith("OpenVINO not tried: ")]
    if provider != model.provider or len(no_card) + len(of_the_file) < len(model.fallbacks):
        return FALLBACK
    return " (no GPU)" if no_card else ""


def _age(shown: Outcome | None, meter: PaintMeter, now: float) -> str:
    """Time from capture to paint of the newest picture; once the picture stands still, its age."""
    if shown is None or meter.last_ms is None:
        return DASH
    standing = now - shown.frame.captured_at
    return f"{meter.last_ms:.0f} ms" if standing < STALE_AFTER_S else f"{standing:.1f} s"
