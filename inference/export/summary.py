"""A session on one page that opens offline: counts, areas, scales, limits and the captured pictures."""

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import median

from inference import safety
from inference.contract import ModelContract
from inference.export import words
from inference.export.capture import Capture
from inference.export.nameless import source_name
from inference.export.picture import annotated, png
from inference.export.plot import STYLE, Reading, area_plot
from inference.files import write_text
from inference.frame import Origin
from inference.outcome import SizeState
from inference.safety import DEMONSTRATION, INTENDED_USE
from inference.spacing import PixelSpacing, Provenance
from inference.version import SOFTWARE

REASONS = 10
"""The page names at most this many reasons, the most frequent first."""
_OUTCOMES = {
    "tumour": "tumour segmented",
    "none": f"{safety.NOTHING} ({safety.NOT_EVIDENCE})".lower(),
    "not_analysed": safety.NOT_ANALYSED.lower(),
    "failed": safety.FAILED.lower(),
}
_STYLE = f"""
body{{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1.5em;color:#1a2028;background:#fff}}
h1{{font-size:1.7em;margin-bottom:.2em}}h2{{font-size:1.15em;margin:2em 0 .5em;border-bottom:1px solid #d5dbe1}}
table{{border-collapse:collapse;width:100%}}tr+tr{{border-top:1px solid #edf0f3}}
td,th{{padding:.3em 1em .3em 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}}
th{{font-weight:500;color:#4a5561;width:18em}}td{{font-variant-numeric:tabular-nums}}
.use{{font-weight:600}}.demo{{background:#ffc266;padding:.4em .8em;font-weight:700}}
img{{display:block;max-width:100%;height:auto;border-radius:4px}}
.pictures{{display:grid;grid-template-columns:repeat(auto-fill,minmax(420px,1fr));gap:1.5em;align-items:start}}
figure{{margin:0}}svg{{width:100%;height:auto}}
@media print{{figure{{break-inside:avoid}}}}
{STYLE}"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Content security policy: the page may not fetch anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """The content of a session's page.

    Attributes:
        origin: the source.
        readings: rows of `inference.nifti.reading_row`, in order.
        contract: contract of the model that analysed the frames; None if none did.
        model_sha256: sha256 of its file.
        provider: the provider it ran on.
        captures: the pictures to show.
        notes: further lines, such as phase and flips.
        facts: further (name, value) rows about the session as a whole.
        largest: (name, value) rows about the largest plane that was segmented.
        demonstrated: whether a model trained on simulation gave any of the readings of anything else; `contract` is
            only that of the last model.
    """

    origin: Origin
    readings: Sequence[Reading]
    contract: ModelContract | None = None
    model_sha256: str = ""
    provider: str = ""
    captures: Sequence[Capture] = ()
    notes: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    largest: Sequence[tuple[str, str]] = ()
    demonstrated: bool = False

    @property
    def demonstration(self) -> bool:
        """Whether a model trained on simulation analysed anything else."""
        last = self.contract is not None and self.contract.population.simulated and not self.origin.simulated
        return last or self.demonstrated

    @property
    def limits_mm2(self) -> tuple[float, ...]:
        """The model's (very small, small) area limits, mm²; empty without a model."""
        if self.contract is None:
            return ()
        limits = self.contract.reliability
        return limits.very_small_area_mm2, limits.min_reliable_area_mm2


def write_summary(session: Session, path: Path) -> None:
    """Write the page.

    Args:
        session: the content.
        path: the file, .html.

    Raises:
        OutputError: if the page cannot be written.
    """
    write_text(path, page(session))


def page(session: Session) -> str:
    """The page as one HTML string, with pictures and plot embedded."""
    return "\n".join(
        (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f'<meta name="generator" content="{SOFTWARE}">',
            f"<title>Ultrasound session: {escape(source_name(session.origin))}</title>",
            f"<style>{_STYLE}</style></head><body>",
            *_body(session),
            "</body></html>\n",
        )
    )


def _body(session: Session) -> Iterator[str]:
    yield f"<h1>Ultrasound session</h1>{_use()}"
    if session.demonstration:
        yield f'<p class="demo">{escape(DEMONSTRATION)}</p>'
    notes = (("Note", note) for note in session.notes)
    yield _table([("Source", _source(session.origin)), *session.facts, *_model(session), *notes])
    yield f"<h2>Readings</h2>{_table(_counts(session.readings))}"
    yield f"<h2>Segmented area</h2>{_areas(session)}"
    if session.largest:
        yield f"<h2>Largest plane</h2>{_table(session.largest)}"
    yield f"<h2>Scale</h2>{_table(_scales(session.readings))}"
    if session.captures:
        figures = "".join(map(_figure, session.captures))
        yield f'<h2>Captured frames</h2><div class="pictures">{figures}</div>'
    yield _use()


def _use() -> str:
    return f'<p class="use">{escape(INTENDED_USE)}</p>'


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return f"<table>{cells}</table>"


def _source(origin: Origin) -> str:
    name = source_name(origin)
    return f"{name} (SIMULATED)" if origin.simulated else name


def _model(session: Session) -> Iterator[tuple[str, str]]:
    """The model, its training population, and the area limits up to which its contours are unreliable."""
    if session.contract is None and session.model_sha256:
        yield "Model", "its description is damaged"
        yield "sha256", session.model_sha256
        yield "Ran on", session.provider
        return
    if session.contract is None:
        yield "Model", "none"
        return
    limits = session.contract.reliability
    yield "Model", session.contract.title
    yield "sha256", session.model_sha256
    yield "Ran on", session.provider
    yield "Trained on", session.contract.population.words
    yield "Threshold", f"probability over {session.contract.output.threshold:g} counts as tumour"
    yield "Small: unreliable", f"largest region at most {limits.min_reliable_area_mm2:g} mm²"
    yield "Very small: unreliable", f"largest region at most {limits.very_small_area_mm2:g} mm²"


def _counts(readings: Sequence[Reading]) -> list[tuple[str, str]]:
    """Count frames by outcome, how many were small or cut by the edge, and why others were not analysed."""
    counts = Counter(str(row.get("outcome")) for row in readings)
    sizes = Counter(str(row.get("size_state")) for row in readings)
    rows = [("frames", str(len(readings))), *((said, str(counts[name])) for name, said in _OUTCOMES.items())]
    rows.append(("of these small: contour unreliable", str(sizes[SizeState.AT_MOST_200.value])))
    rows.append(("of these very small: contour unreliable", str(sizes[SizeState.AT_MOST_35.value])))
    if any(row.get("likely_to_fail") for row in readings):
        rows.append(("of these likely to fail", str(sum(row.get("likely_to_fail") == "true" for row in readings))))
    rows.append(("of these cut by the picture's edge", str(sum(row.get("touches_edge") == "true" for row in readings))))
    reasons = Counter(str(row["reason"]) for row in readings if row.get("reason"))
    return rows + [(f"{count} ×", reason) for reason, count in reasons.most_common(REASONS)]


def _areas(session: Session) -> str:
    """Smallest, median and largest segmented area, and the plot."""
    tumours = [row for row in session.readings if row.get("outcome") == "tumour"]
    areas = [float(str(row["area_mm2"])) for row in tumours if row.get("area_mm2") is not None]
    said = "<p>No area in mm²: nothing was segmented on a frame of known scale.</p>"
    if areas:
        span = f"{min(areas):.1f} to {max(areas):.1f} mm², median {median(areas):.1f} mm²"
        said = f"<p>{span}, on {_frames(len(areas))} of one plane each: no volume.</p>"
    return said + area_plot(session.readings, session.limits_mm2)


def _scales(readings: Sequence[Reading]) -> list[tuple[str, str]]:
    """Every scale of the session, where it came from, and its number of frames."""
    keys = ("spacing_row_mm", "spacing_col_mm", "spacing_provenance")
    counts = Counter(tuple(row.get(key) for key in keys) for row in readings)
    return [(_scale(*scale), _frames(count)) for scale, count in counts.most_common()]


def _scale(row_mm: object, col_mm: object, provenance: object) -> str:
    if row_mm is None or col_mm is None:
        return "unknown"
    return words.spacing(PixelSpacing(float(str(row_mm)), float(str(col_mm)), Provenance(str(provenance))))


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


def _figure(capture: Capture) -> str:
    content = base64.b64encode(png(annotated(capture))).decode("ascii")
    said = escape(f"{words.answer(capture.outcome)}. {words.source(capture.outcome.frame)}", quote=True)
    return f'<figure><img alt="{said}" src="data:image/png;base64,{content}"></figure>'
