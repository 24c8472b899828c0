"""Numbers as the screen shows them."""

import math
from datetime import datetime

from inference.live.health import Condition, Health
from inference.outcome import Tumour, above
from inference.readout.marks import Ink, Shape
from inference.source_info import SourceInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
UNDER_1 = "<\u00a01"
"""Shown for an area that would round to 0 mm², beside its contour, and for a share that would round to 0 %."""


def detail_words(tumour: Tumour, limits: tuple[float, ...] = ()) -> str:
    """Two lines: longest diameter × perpendicular; depth of the nearest and deepest edge, and how many regions.

    Args:
        tumour: the contour.
        limits: areas, mm², across which no number is rounded.
    """
    largest = tumour.largest
    size, place = [], []
    if len(tumour.regions) > 1 and largest.area_mm2 is not None:
        size.append(f"largest {area_words(largest.area_mm2, limits)} mm²")
    if largest.diameters is not None:
        size.append(f"{largest.diameters.longest_mm:.0f} × {largest.diameters.perpendicular_mm:.0f} mm")
    if largest.depth_mm is not None:
        place.append(f"{largest.depth_mm[0]:.0f} to {largest.depth_mm[1]:.0f} mm deep")
    place.append(region_words(len(tumour.regions)))
    return "\n".join((" · ".join(size), " · ".join(place)))


def area_words(area_mm2: float, limits: tuple[float, ...] = ()) -> str:
    """Whole mm², to 10 mm² above 100; rounding never crosses a limit, and never turns a small area into 0."""
    area_mm2 = round(area_mm2, 6)  # pixels times spacing can miss a whole number by a rounding error
    if 0 < area_mm2 < 0.5:
        return UNDER_1
    rounded = round(area_mm2 / 10) * 10 if area_mm2 > 100 else round(area_mm2)
    if any(above(rounded, limit) != above(area_mm2, limit) for limit in limits):
        rounded = math.ceil(area_mm2)
    return spaced(rounded)


def region_words(count: int) -> str:
    """`one region`, `2 regions`."""
    return "one region" if count == 1 else f"{count} regions"


def counted(count: int, noun: str) -> str:
    """`1 slice`, `18 204 slices`."""
    return f"{spaced(count)} {noun}" + ("" if count == 1 else "s")


def share_words(share: float) -> str:
    """Whole per cent, never rounded to 0 % or 100 %: `missed on 0 %` would say that nothing was ever missed."""
    if 0 < share < 0.005:
        return f"{UNDER_1}\u00a0%"
    return ">\u00a099\u00a0%" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def spaced(value: int) -> str:
    """Thousands separated by a no-break space; four digits stay together."""
    return f"{value:,}".replace(",", "\u00a0") if value >= 10_000 else str(value)


def mode_words(info: SourceInfo | None, condition: Condition, *, standing: bool = False) -> tuple[str, Ink, Shape]:
    """LIVE only for a device that delivers pictures; a file is a replay. Returns words, ink and shape.

    Args:
        info: of the source.
        condition: of source and model.
        standing: one picture stands there while something is marked on it, whatever the source sends meanwhile.
    """
    if info is None or condition.health is Health.EMPTY:
        return "NO SOURCE", Ink.MUTED, Shape.DIAMOND
    if condition.health is Health.VIEW_FROZEN:
        shape = Shape.TRIANGLE if condition.replayed else Shape.SQUARE
        return frozen_words(condition), Ink.BLUE, shape
    if condition.health is Health.OPENING:
        return "FORMER", Ink.MUTED, Shape.DIAMOND
    broken = {Health.LOST: "LOST", Health.STALE: "STALE", Health.BROKEN: "STOPPED", Health.FROZEN: "FROZEN"}
    if condition.health in broken:
        return broken[condition.health], Ink.RED, Shape.SQUARE
    if standing:
        return "STILL", Ink.BLUE, Shape.SQUARE
    if info.origin.live:
        return "LIVE", Ink.GREEN, Shape.DOT
    return ("PAUSED" if condition.health is Health.PAUSED else "REPLAY"), Ink.BLUE, Shape.TRIANGLE


def frozen_words(condition: Condition) -> str:
    """What a view that the user froze is: it stands, or plays its last half minute; and how old its picture is."""
    what = "REPLAY" if condition.replayed else "VIEW FROZEN"
    return f"{what} \u2212{condition.seconds:.1f}\u00a0s"


def source_words(info: SourceInfo, *, brief: bool = False) -> str:
    """Size, frame rate and kind of the source; `brief` leaves the frame rate out."""
    pace = "" if info.fps is None or brief else f" · {info.fps:.0f} fps"
    return f"{info.cols} × {info.rows}{pace}" + (" · simulated" if info.origin.simulated else "")


def time_words(seconds: float) -> str:
    """`00:42`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def clock_words(now: datetime) -> str:
    """`Fri 14:05`: with the day, and without seconds that run, nobody takes it for a time elapsed."""
    return f"{DAYS[now.weekday()]} {now:%H:%M}"


def size_words(size: int) -> str:
    """`12 kB`, `34 MB`, `1.2 GB`."""
    if size < 1e6:
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
