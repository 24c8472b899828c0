"""Presets: kept across starts, never for another device, size or crop, and a damaged file harms nobody."""

import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from inference.crop import Rect
from inference.errors import OutputError, SpacingError
from inference.spacing import Provenance
from inference.view_notes import Marker
from viewer import settings
from viewer.control import presets as presets_module
from viewer.control.presets import Place, Preset, Presets, packed, presets_path

PLACE = Place("USB grabber", 480, 640, Rect(10, 20, 400, 500))
TEXT, RULER = Rect(0, 600, 20, 40), Rect(30, 610, 440, 20)
PRESET = Preset(PLACE, 0.15, 0.12, (TEXT, RULER), Marker.LEFT)


def test_a_preset_is_kept_across_starts_with_all_that_goes_with_it() -> None:
    Presets().save(PRESET)
    found = Presets().find(PLACE)
    assert found == PRESET
    assert found is not None
    assert found.spacing.provenance is Provenance.PRESET
    assert (found.spacing.row_mm, found.spacing.col_mm) == (0.15, 0.12)
    assert presets_path().exists()


def test_the_watched_pixels_of_text_and_ruler_come_back_where_they_stood() -> None:
    whole = np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8)
    Presets().save(replace(PRESET, reference=packed(whole, PRESET.watched)))
    found = Presets().find(PLACE)
    assert found is not None
    picture = found.reference_picture
    assert picture is not None
    for rect in (TEXT, RULER):
        np.testing.assert_array_equal(picture[rect.where], whole[rect.where])
        picture[rect.where] = 0
    assert not picture.any()


def test_two_windows_neither_lose_what_the_other_kept_nor_bring_back_what_it_deleted() -> None:
    other = replace(PRESET, place=replace(PLACE, device="Another grabber"))
    here, there = Presets(), Presets()
    here.save(PRESET)
    there.save(other)
    assert Presets().find(PLACE) == PRESET
    there.remove(PLACE)
    here.save(other)
    assert here.find(PLACE) is None
    assert Presets().find(PLACE) is None


@pytest.mark.parametrize("watched", ["null", '{"top": 0, "left": 600, "rows": 20, "cols": 40}'])
def test_a_preset_of_before_with_one_rectangle_or_none_is_still_found(tmp_path: Path, watched: str) -> None:
    whole = np.random.default_rng(1).integers(0, 256, (480, 640), np.uint8)
    reference = b64encode(packed(whole, [TEXT])).decode() if watched != "null" else ""
    place = '{"device": "USB grabber", "rows": 480, "cols": 640, "crop": null}'
    path = tmp_path / "presets.json"
    path.write_text(
        f'[{{"place": {place}, "row_mm": 0.15, "col_mm": 0.15, "watched": {watched}, "reference": "{reference}"}}]'
    )
    presets = Presets(path)
    assert presets.complaint == ""
    found = presets.find(replace(PLACE, crop=None))
    assert found is not None
    assert found.watched == (() if watched == "null" else (TEXT,))
    if found.watched:
        assert found.reference_picture is not None
        np.testing.assert_array_equal(found.reference_picture[TEXT.where], whole[TEXT.where])


@pytest.mark.parametrize(
    "other",
    [{"device": "other"}, {"rows": 481}, {"cols": 641}, {"crop": None}, {"crop": Rect(10, 20, 400, 501)}],
)
def test_a_preset_holds_for_no_other_device_size_or_crop(other: dict[str, object]) -> None:
    presets = Presets()
    presets.save(PRESET)
    place = replace(PLACE, **other)  # type: ignore[arg-type]
    assert presets.find(place) is None
    offered = presets.known(place.device, place.rows, place.cols)
    assert offered == ((PRESET,) if (place.device, place.rows, place.cols) == ("USB grabber", 480, 640) else ())


def test_a_new_scale_replaces_the_old_one_and_the_newest_is_offered_first() -> None:
    presets = Presets()
    presets.save(PRESET)
    presets.save(replace(PRESET, place=replace(PLACE, crop=None)))
    presets.save(replace(PRESET, row_mm=0.3))
    presets.save(replace(PRESET, place=replace(PLACE, rows=500)))
    known = Presets().known("USB grabber", 480, 640)
    assert [(p.row_mm, p.place.crop) for p in known] == [(0.3, PLACE.crop), (0.15, None)]
    presets.remove(PLACE)
    assert Presets().find(PLACE) is None


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1]",
        b'[{"place":{"device":"x","rows":4,"cols":4},"row_mm":0,"col_mm":1}]',
        b'[{"place":{"device":"x","rows":4,"cols":4},"row_mm":"1","col_mm":1}]',
        b'[{"place":{"device":"x","rows":4,"cols":4},"row_mm":1,"col_mm":1,'
        b'"watched":{"top":0,"left":0,"rows":9,"cols":1}}]',
        b'[{"place":{"device":"x","rows":4,"cols":4},"row_mm":1,"col_mm":1,'
        b'"watched":{"top":-1,"left":0,"rows":1,"cols":1}}]',
    ],
)
def test_a_damaged_file_is_set_aside_with_a_sentence(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "presets.json"
    for number in (1, 2):
        path.write_bytes(damage)
        presets = Presets(path)
        assert f"presets-damaged-{number}.json" in presets.complaint
        assert (tmp_path / f"presets-damaged-{number}.json").read_bytes() == damage
    presets.save(PRESET)
    again = Presets(path)
    assert again.complaint == ""
    assert again.find(PLACE) == PRESET


def test_what_is_no_scale_is_not_kept(tmp_path: Path) -> None:
    presets = Presets(tmp_path / "presets.json")
    with pytest.raises(SpacingError, match="not a length"):
        presets.save(replace(PRESET, col_mm=float("nan")))
    with pytest.raises(SpacingError, match="outside the picture"):
        presets.save(replace(PRESET, watched=(TEXT, Rect(470, 0, 11, 5))))
    assert not (tmp_path / "presets.json").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence_and_keeps_what_was_known(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    presets = Presets(tmp_path / "file" / "presets.json")
    with pytest.raises(OutputError):
        presets.save(PRESET)
    assert presets.find(PLACE) is None


def test_presets_that_do_not_answer_are_said_and_never_replaced(
    stalled: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    Presets().save(PRESET)
    before = presets_path().stat()
    stalled(presets_path())
    monkeypatch.setattr(settings, "HOME_S", 0.3)
    monkeypatch.setattr(presets_module, "ANSWER_S", 0.3)
    began, presets = monotonic(), Presets()
    assert presets.complaint == presets_module.DEAD.format(path=presets_path())
    assert presets.unread
    with pytest.raises(OutputError, match="do not answer"):
        presets.save(replace(PRESET, place=replace(PLACE, device="another")))
    assert monotonic() - began < 3
    after = presets_path().stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_presets_that_could_not_be_read_are_read_before_one_is_added(tmp_path: Path) -> None:
    file = tmp_path / "presets.json"
    file.mkdir()
    presets = Presets(file)
    assert presets.unread
    with pytest.raises(OutputError, match="cannot be read"):
        presets.save(PRESET)
    file.rmdir()
    other = replace(PRESET, place=replace(PLACE, device="another"))
    Presets(file).save(other)
    presets.save(PRESET)
    assert presets.find(other.place) == Presets(file).find(other.place) == other
    assert Presets(file).find(PLACE) == PRESET
