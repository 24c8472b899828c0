"""What a model did not see in training."""

from dataclasses import replace

import numpy as np
import pytest

from inference.contract import Seen
from inference.frame import Frame, Origin, View
from inference.guards.all import every_guard
from inference.guards.unlike import unlike
from inference.spacing import PixelSpacing, Provenance

SEEN = Seen(spacing_mm=(0.15, 0.35), rows=(137, 512), cols=(123, 512), intensity=(4.0, 116.0))


def frame(
    shape: tuple[int, int] = (300, 400), spacing: tuple[float, float] | None = (0.2, 0.2), grey: int = 60
) -> Frame:
    pixels = np.zeros(shape, np.uint8)
    pixels[20:-20, 30:-30] = grey
    scale = None if spacing is None else PixelSpacing(*spacing, Provenance.EXACT)
    return Frame(0, pixels, scale, 0.0, Origin("clip", View.NATIVE))


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (frame(spacing=(0.5, 0.5)), "0.5 mm per pixel (seen: 0.15 to 0.35)"),
        (frame(spacing=(0.2, 0.1)), "0.2 × 0.1 mm per pixel (seen: 0.15 to 0.35)"),
        (frame((100, 400)), "400 × 100 pixels (seen: 123 to 512 × 137 to 512)"),
        (frame((720, 1280)), "1220 × 680 pixels (seen: 123 to 512 × 137 to 512)"),
        (frame(grey=200), "100 % of the grey values not between 4 and 116"),
    ],
)
def test_each_range_of_the_contract_is_named_where_it_is_left(shown: Frame, words: str) -> None:
    assert unlike(shown, SEEN) == f"The model saw no such picture in training: {words}."


def test_a_picture_like_those_seen_has_nothing_to_be_said() -> None:
    assert unlike(frame(), SEEN) == ""
    assert unlike(frame(spacing=(0.1499, 0.3501)), SEEN) == ""  # rounded by a file format
    assert unlike(frame(spacing=None), SEEN) == ""  # an unknown scale is a matter of its own
    assert unlike(replace(frame(), pixels=np.zeros((300, 400), np.uint8)), SEEN) == ""


def test_black_around_the_sector_does_not_count_as_size() -> None:
    wide = frame()
    assert unlike(replace(wide, pixels=np.pad(wide.pixels, 300)), SEEN) == ""


def test_several_are_named_together() -> None:
    said = unlike(frame((100, 400), (0.5, 0.5), 200), SEEN)
    assert said.count(", ") == 2


def test_without_a_model_nothing_is_unlike_it() -> None:
    strange = frame(spacing=(2.0, 2.0))
    strange.pixels[150:200, 150:250] = 110
    assert every_guard().look(strange) == ()
    assert [finding.alarm.value for finding in every_guard().look(strange, SEEN)] == ["unlike_training"]
