"""A record that was cut off or damaged: every whole frame of it, and what is missing is said."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outcomes import INFO, frame, record, tumour

from inference.alarms import Alarm
from inference.errors import FormatError
from inference.export.record import export_record
from inference.nifti import picture_header, without_texts
from inference.recording.reader import RecordReader
from inference.recording.walk import SEAL
from inference.source_info import SweptGrid
from inference.sources import open_source
from inference.sources.record import RecordSource


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("record") / "whole.mcap", [tumour(frame(i)) for i in range(4)])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(share=st.floats(0.0, 1.0))
def test_cut_anywhere_it_holds_every_whole_frame(share: float, whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(data[: int(share * len(data))])
    ends = _ends(whole)
    kept = sum(end <= cut.stat().st_size for end in ends)
    if kept == 0:
        with pytest.raises(FormatError):
            RecordSource(cut)
        return
    with RecordSource(cut) as source, RecordSource(whole) as original:
        assert len(source) == kept
        assert source.finished or f"cut off at {source.seconds:.1f} s" in source.info.notice
        for index in range(kept):
            assert np.array_equal(source.read(index).pixels, original.read(index).pixels)


def _ends(path: Path) -> list[int]:
    """Where each frame's entry ends, with its checksum."""
    reader = RecordReader(path)
    reader.close()
    return [place.offset + place.length + SEAL * place.sealed for place in reader._index.pictures]


def test_damage_inside_is_named_and_the_others_stay(whole: Path, tmp_path: Path) -> None:
    data = bytearray(whole.read_bytes())
    data[_ends(whole)[1] - 20] ^= 0xFF
    (tmp_path / "hurt.mcap").write_bytes(data)
    with RecordSource(tmp_path / "hurt.mcap") as source:
        with pytest.raises(FormatError, match=r"Frame 1 .* damaged"):
            source.read(1)
        assert np.array_equal(source.read(2).pixels, frame(2).pixels)


def test_a_volume_of_whose_slices_none_can_be_read_is_exported_without_one(tmp_path: Path) -> None:
    """Nobody knows where its slices stood; the table says that each is damaged."""
    header = picture_header(None)
    header.set_data_shape((53, 37, 2))
    info = replace(INFO, grid=SweptGrid("k", 2, without_texts(header).binaryblock))
    data = bytearray(record(tmp_path / "whole.mcap", [tumour(frame(i)) for i in range(2)], info).read_bytes())
    for end in _ends(tmp_path / "whole.mcap"):
        data[end - 20] ^= 0xFF
    (tmp_path / "hurt.mcap").write_bytes(data)
    (tmp_path / "out").mkdir()
    with RecordSource(tmp_path / "hurt.mcap") as source:
        files = export_record(source, tmp_path / "out")
    assert not [file for file in files if file.name.endswith(".nii.gz")]
    with (tmp_path / "out" / "readings.csv").open(newline="") as file:
        assert {row["reason"] for row in csv.DictReader(file)} == {Alarm.UNREADABLE.sentence}


def test_other_files_are_no_records(tmp_path: Path) -> None:
    (tmp_path / "other.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(40))
    (tmp_path / "text.mcap").write_text("no record")
    for name in ("other.mcap", "text.mcap"):
        with pytest.raises(FormatError):
            open_source(str(tmp_path / name))


def test_a_damaged_frame_costs_itself_and_the_rest_is_exported(whole: Path, tmp_path: Path) -> None:
    data = bytearray(whole.read_bytes())
    data[_ends(whole)[1] - 20] ^= 0xFF
    (tmp_path / "hurt.mcap").write_bytes(data)
    with RecordSource(tmp_path / "hurt.mcap") as source:
        (tmp_path / "out").mkdir()
        export_record(source, tmp_path / "out", chosen=[1])
    rows = list(csv.DictReader((tmp_path / "out/readings.csv").read_text().splitlines()))
    assert [row["outcome"] for row in rows] == ["tumour", "not_analysed", "tumour", "tumour"]
    assert Alarm.UNREADABLE.sentence in rows[1].values()
