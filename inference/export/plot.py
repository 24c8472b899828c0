"""The area over a session as inline SVG: in mm² only, with gaps where no area is known."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

WIDTH, HEIGHT = 900, 260
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 14, 44
"""Margins for the axis labels, pixels."""
TICKS = 6
GAP_S = 1.0
"""Frames that are further apart are joined by no line, as in the window's trend: the signal was lost between them."""
STYLE = """
svg text{font:12px sans-serif;fill:#3a4450}svg .grid{stroke:#d5dbe1}
svg .area{fill:none;stroke:#00658f;stroke-width:1.5;stroke-linejoin:round}svg circle.area{fill:#00658f}
svg line.limit{stroke:#96500a;stroke-dasharray:6 4}svg text.limit{fill:#96500a}
"""
"""The plot's CSS, for the page or file that holds it."""

Reading = Mapping[str, object]
Point = tuple[float, float]


class Axes(NamedTuple):
    """The plot's ranges in the units of the data, and the quantity on the x axis."""

    first: float
    last: float
    top: float
    along: str

    def x(self, value: float) -> float:
        """Pixels from the left."""
        return LEFT + (value - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, area_mm2: float) -> float:
        """Pixels from the top."""
        return HEIGHT - BOTTOM - area_mm2 / self.top * (HEIGHT - TOP - BOTTOM)


def area_plot(readings: Sequence[Reading], limits_mm2: Sequence[float] = ()) -> str:
    """The plot, or an empty string if no reading has an area in mm².

    Args:
        readings: rows of `inference.nifti.reading_row`, in order.
        limits_mm2: the model's limits; each is drawn if the plot reaches it.
    """
    along = "time_s" if all(isinstance(row.get("time_s"), int | float) for row in readings) else "frame"
    pieces = list(_pieces(readings, along))
    points = [point for piece in pieces for point in piece]
    if not points:
        return ""
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    highest = max(area for _, area in points)
    step = nice(highest / TICKS) if highest else 1.0
    axes = Axes(first, last if last > first else first + 1, step * math.ceil(max(highest, step) / step), along)
    drawn = [*_grid(axes, step), *_limits(axes, limits_mm2), *(_line(_thinned(piece, axes), axes) for piece in pieces)]
    title = f"Segmented area in mm², {len(points)} readings, at most {highest:.1f} mm²"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg">'
        + "".join(drawn)
        + "</svg>"
    )


def nice(step: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9)))


def _pieces(readings: Sequence[Reading], along: str) -> Iterator[list[Point]]:
    """Split the areas into unbroken runs: what ends one is a frame without an area, a gap in time, or a jump back."""
    gap = _gap_s([float(str(row[along])) for row in readings]) if along == "time_s" else math.inf
    for has_area, rows in groupby(readings, key=lambda row: isinstance(row.get("area_mm2"), int | float)):
        if not has_area:
            continue
        piece: list[Point] = []
        for row in rows:
            x, area = float(str(row[along])), float(str(row["area_mm2"]))
            if piece and not 0 <= x - piece[-1][0] <= gap:
                yield piece
                piece = []
            piece.append((x, area))
        yield piece


def _gap_s(times_s: Sequence[float]) -> float:
    """The pause between two frames beyond which nobody knows the area: a second, or three frames of a slower source."""
    steps = sorted(after - before for before, after in pairwise(times_s))
    return max(GAP_S, 3 * steps[len(steps) // 2]) if steps else GAP_S


def _thinned(piece: list[Point], axes: Axes) -> list[Point]:
    """Keep the lowest and highest reading of each pixel column: hours of data stay small and peaks survive."""
    if len(piece) <= 2 * WIDTH:
        return piece
    kept = []
    for _, group in groupby(piece, key=lambda point: int(axes.x(point[0]))):
        column = list(group)
        ends = {min(column, key=lambda point: point[1]), max(column, key=lambda point: point[1])}
        kept += sorted(ends)
    return kept


def _line(points: list[Point], axes: Axes) -> str:
    placed = [f"{axes.x(x):.1f},{axes.y(area):.1f}" for x, area in points]
    if len(placed) == 1:
        x, y = placed[0].split(",")
        return f'<circle class="area" cx="{x}" cy="{y}" r="2"/>'
    return f'<polyline class="area" points="{" ".join(placed)}"/>'


def _grid(axes: Axes, step: float) -> Iterator[str]:
    """Horizontal lines labelled in mm², ticks along the bottom, and the axis labels."""
    for number in range(round(axes.top / step) + 1):
        y = axes.y(number * step)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number * step:g}</text>'
    span = nice((axes.last - axes.first) / TICKS)
    for number in range(math.ceil(axes.first / span), math.floor(axes.last / span) + 1):
        x = axes.x(number * span)
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{number * span:g}</text>'
    named = "time in the source, s" if axes.along == "time_s" else "frame"
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{named}</text>'
    yield f'<text x="16" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 {HEIGHT / 2})">mm²</text>'


def _limits(axes: Axes, limits_mm2: Sequence[float]) -> Iterator[str]:
    for limit in limits_mm2:
        if limit <= axes.top:
            y = axes.y(limit)
            yield f'<line class="limit" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
            yield f'<text class="limit" x="{WIDTH - RIGHT}" y="{y - 4:.1f}" text-anchor="end">{limit:g} mm²</text>'
