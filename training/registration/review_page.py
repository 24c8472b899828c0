"""The review page: one HTML file a cohort with its pictures embedded; it loads nothing else and saves review.csv."""

import base64
import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from html import escape
from pathlib import Path

from training.io.files import written_aside
from training.registration.decisions import Decision, fingerprint
from training.registration.pictures import FOLDER, VIEWS, picture_paths
from training.registration.planes import ORIENTATIONS, Orientation
from training.registration.result import (
    FLAG_OVERLAP_PERCENT,
    FLAG_ROTATION_DEG,
    FLAG_SHIFT_MM,
    FLAG_VOLUME_PERCENT,
    Registered,
)
from training.registration.scene import LABEL, PIXEL_MM, SECTOR

PAGE = "review.html"
_TEMPLATE = Path(__file__).with_name("page.html")
_HEAD = "".join(f"<b>{words}</b>" for words in ("", *("At the start", "Registered") * 2))
_FLAGS = {
    "shift": f"moved more than {FLAG_SHIFT_MM:g} mm",
    "rotation": f"turned more than {FLAG_ROTATION_DEG:g}°",
    "overlap": f"less than {FLAG_OVERLAP_PERCENT:g} % of the sector has MRI",
    "worse": "less similar than at the start",
    "label": "tumour outside the ultrasound",
    "weak": "little in the ultrasound speaks for it: look closely, it may be wrong",
    "faint": "the carried-over tumour hardly differs from what the ultrasound shows around it: does it lie there",
    "volume": f"the tumour's volume changes by more than {FLAG_VOLUME_PERCENT:g} %",
    "refused": "not refined, though asked for",
    "hand": "moved by hand",
}


def write_page(
    folder: Path, results: Sequence[Registered], decisions: Mapping[str, Decision], simulated: Collection[str] = ()
) -> Path:
    """Write DIR/review.html: flagged cases first, then the others in the table's order, then what failed.

    Args:
        folder: of `ius-train register`.
        results: rows of registration.csv.
        decisions: those that hold.
        simulated: cases known to be simulated; they are marked.
    """
    shown = sorted((row for row in results if not row.error), key=lambda row: not row.flags)
    parts = {
        "@INTRO@": escape(f"{len(shown)} registrations in {folder.name}, {sum(bool(r.flags) for r in shown)} flagged."),
        "@FOLDER@": escape(str(folder)),
        "@KEY@": escape(str(folder.absolute())),
        "@FAILED@": _failed([row for row in results if row.error]),
        "@CASES@": "\n".join(_section(folder, row, decisions.get(row.case), row.case in simulated) for row in shown),
    }
    page = _of_code(_TEMPLATE.read_text(encoding="utf-8"))
    parts["@SCRIPT@"] = _hash_of(page)
    page = re.sub("|".join(parts), lambda mark: parts[mark[0]], page)  # at once: a name may be a mark, too
    with written_aside(folder / PAGE) as aside:
        aside.write_text(page, encoding="utf-8")
    return folder / PAGE


def _of_code(template: str) -> str:
    """The template with what its script shares with this code."""
    shared = {
        "@PIXEL_MM@": f"{PIXEL_MM:g}",
        "@LABEL@": str(LABEL),
        "@SECTOR@": str(SECTOR),
        "@ALONG@": json.dumps({one.name: _along(one) for one in ORIENTATIONS}),
    }
    return re.sub("|".join(shared), lambda mark: shared[mark[0]], template)


def _hash_of(page: str) -> str:
    """The page's own script for its content security policy, which lets no other script run."""
    script = page.partition("<script>")[2].partition("</script>")[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _along(one: Orientation) -> list[tuple[int, int]]:
    """The RAS axis and its sign of a picture's columns, of its rows, and of a turn clockwise on it."""
    (across, to_right), (down, downward) = one.across, one.down
    right_handed = 1 if (down - across) % 3 == 1 else -1
    return [one.across, one.down, (one.axis, to_right * downward * right_handed)]


def _section(folder: Path, row: Registered, decision: Decision | None, simulated: bool) -> str:
    """One case."""
    chips = [f'<span class="chip">{escape(_FLAGS.get(flag, flag))}</span>' for flag in row.flags.split()]
    if simulated:
        chips.append('<span class="chip simulated">simulated</span>')
    data = {
        "case": row.case,
        "decision": decision.decision if decision else "",
        "fingerprint": fingerprint(folder, row.case),
    }
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    figures = "".join(_figure(folder, row.case, plane) for plane in ("axial", "coronal", "sagittal"))
    return f"""<section tabindex="0" {attributes}>
<div class="head"><h2>{escape(row.case)}</h2>{"".join(chips)}</div>
<dl>{"".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _facts(row))}</dl>
<div class="planes">{_HEAD}{figures}</div>
<div class="look served"><button class="closer">Look closer, or move it by hand</button></div>
<div class="decide"><button class="accept">Accept</button><button class="reject">Reject</button>
<input placeholder="Note" aria-label="Note" value="{escape(decision.note if decision else "")}"></div>
</section>"""


def _facts(row: Registered) -> list[tuple[str, str]]:
    """The figures of a registration that can be computed without knowing the truth."""
    facts = [
        (f"Similarity ({escape(row.metric)})", f"{_number(row.similarity_start, 4)} → {_number(row.similarity, 4)}"),
        ("Moved", f"{_number(row.shift_mm, 1)} mm"),
        ("Turned", f"{_number(row.rotation_deg, 1)}°"),
        ("Sector with MRI", f"{_number(row.overlap_percent, 0)} %"),
    ]
    if row.kind:
        facts.append(("Kind", escape(row.kind)))
    if row.refused:
        facts.append(("Not refined", escape(row.refused)))
    if row.refined_mm is not None:
        facts.append(("Refined by at most", f"{row.refined_mm:.1f} mm"))
    if row.volume_change_percent is not None:
        facts.append(("Tumour's volume", f"{row.volume_change_percent:+.1f} %"))
    if row.support is not None:
        facts.append(("Support", f"{row.support:.2f}"))
    if row.label_inside_percent is not None:
        facts.append(("Tumour in view", f"{row.label_inside_percent:.0f} %"))
    if row.contrast is not None:
        facts.append(("Tumour's contrast", f"{row.contrast:.2f}"))
    return facts


def _number(value: float | None, digits: int) -> str:
    return "unknown" if value is None else f"{value:.{digits}f}"


def _figure(folder: Path, case: str, plane: str) -> str:
    """The pictures of one plane."""
    paths = picture_paths(folder / FOLDER, case)
    images = [_image(paths[plane, view], view, f"{case}, {plane}: {view}") for view in VIEWS]
    return f"<figure><figcaption>{plane.capitalize()}</figcaption>{''.join(images)}</figure>"


def _image(path: Path, view: str, words: str) -> str:
    """An embedded picture, or words in its place."""
    if not path.is_file():
        return f'<p class="{view}" style="color:#ffb84d;padding:8px">No picture: register this case again.</p>'
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img class="{view}" alt="{escape(words)}" src="data:image/jpeg;base64,{data}">'


def _failed(rows: Sequence[Registered]) -> str:
    """The cases without a registration, with the reason."""
    if not rows:
        return ""
    lines = "".join(f"<tr><td>{escape(row.case)}</td><td>{escape(row.error)}</td></tr>" for row in rows)
    return f"<h2>Not registered</h2><table>{lines}</table>"
