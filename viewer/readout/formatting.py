"""Numbers as the screen says them."""

import math

from inference.outcome import Tumour

UNDER_1 = "<\u00a01"
"""In whole mm² it would be 0, beside a contour."""


def detail_words(tumour: Tumour) -> str:
    """Two lines: longest diameter × perpendicular; depth of the nearest and deepest edge, and how many regions."""
    largest = tumour.largest
    size, place = [], []
    if len(tumour.regions) > 1 and largest.area_mm2 is not None:
        size.append(f"largest {area_words(largest.area_mm2)} mm²")
    if largest.diameters is not None:
        size.append(f"{largest.diameters.longest_mm:.0f} × {largest.diameters.perpendicular_mm:.0f} mm")
    if largest.depth_mm is not None:
        place.append(f"{largest.depth_mm[0]:.0f} to {largest.depth_mm[1]:.0f} mm deep")
    place.append(region_words(len(tumour.regions)))
    return "\n".join((" · ".join(size), " · ".join(place)))


def area_words(area_mm2: float, limits: tuple[float, ...] = ()) -> str:
    """Whole mm², to 10 mm² above 100; rounding never moves a number across a limit, nor makes nothing of something."""
    area_mm2 = round(area_mm2, 6)  # pixels times spacing is a hair off where it should be whole
    if 0 < area_mm2 < 0.5:
        return UNDER_1
    rounded = round(area_mm2 / 10) * 10 if area_mm2 > 100 else round(area_mm2)
    if any((rounded > limit) != (area_mm2 > limit) for limit in limits):
        rounded = math.ceil(area_mm2)
    return spaced(rounded)


def region_words(count: int) -> str:
    """`one region`, `2 regions`."""
    return "one region" if count == 1 else f"{count} regions"


def counted(count: int, noun: str) -> str:
    """`1 slice`, `18 204 slices`."""
    return f"{spaced(count)} {noun}" + ("" if count == 1 else "s")


def spaced(value: int) -> str:
    """Thousands apart by a space that never breaks; four digits stay together."""
    return f"{value:,}".replace(",", "\u00a0") if value >= 10_000 else str(value)
