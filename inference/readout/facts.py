"""The facts below the state: scale and its provenance, model, provider, age, drops. Pure functions."""

from inference.live.health import STALE_AFTER_S
from inference.live.model import Model
from inference.live.paint_meter import PaintMeter
from inference.live.stream import StreamStatus
from inference.outcome import NothingFound, Outcome, Tumour
from inference.readout.formatting import spaced
from inference.readout.states import DASH
from inference.spacing import PixelSpacing

FACTS = ("Scale", "Model", "File", "Device", "Age since capture", "Dropped")
"""The rows below the state, in order. A new row needs a name here and a value in `facts`."""


def facts(
    shown: Outcome | None,
    model: Model | None,
    status: StreamStatus | None,
    meter: PaintMeter,
    now: float,
    *,
    calibrating: bool = False,
) -> dict[str, str]:
    """The value of each of `FACTS`. While the user calibrates, the picture stands still on purpose and has no age."""
    return {
        "Scale": DASH if shown is None else scale_words(shown.frame.spacing),
        "Model": DASH if model is None else f"{model.contract.identity.name} {model.contract.identity.version}",
        "File": DASH if model is None else "verified on this computer",
        "Device": DASH if model is None else _provider(model) + _took(shown),
        "Age since capture": DASH if calibrating else _age(shown, meter, now),
        "Dropped": DASH if status is None else f"{spaced(status.dropped)} of {spaced(status.captured)}",
    }


def scale_words(spacing: PixelSpacing | None) -> str:
    """Millimetres per pixel, and where they come from."""
    if spacing is None:
        return "unknown"
    row, col = f"{spacing.row_mm:.3g}", f"{spacing.col_mm:.3g}"
    return f"{row if row == col else f'{row} × {col}'} mm per pixel · {spacing.provenance.words}"


def _provider(model: Model) -> str:
    """The provider that the model really runs on; the model card says why it is not a faster one.

    The card also says whose bfloat16 it is: this row has room for some thirty letters. It is called a fallback only if
    the faster device is present.
    """
    device = model.provider.removeprefix("OpenVINO ")
    if any(" not tried: " not in sentence for sentence in model.fallbacks):
        return f"{device}, fallback"
    return f"{device} (no GPU)" if any("no NVIDIA driver" in sentence for sentence in model.fallbacks) else device


def _took(shown: Outcome | None) -> str:
    if isinstance(shown, Tumour | NothingFound):
        return f" · {shown.analysis.latency_ms:.0f} ms"
    return ""


def _age(shown: Outcome | None, meter: PaintMeter, now: float) -> str:
    """Time from capture to paint of the newest picture; once the picture stands still, its age."""
    if shown is None or meter.last_ms is None:
        return DASH
    standing = now - shown.frame.captured_at
    return f"{meter.last_ms:.0f} ms" if standing < STALE_AFTER_S else f"{standing:.1f} s"
