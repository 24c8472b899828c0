"""Which frames of a tracked sequence are shown, and when they were taken."""

import nibabel as nib
import numpy as np
import pytest
from sequences import file_of, mha_bytes, pictures, slicer_bytes

from inference.errors import FormatError


@pytest.mark.parametrize(("name", "field"), [("s.igs.mha", "ImageStatus"), ("s.igs.nrrd", "Status")])
def test_only_the_pictures_own_status_leaves_a_frame_out(open_bytes, tmp_path, name, field):
    frames = pictures(5)
    fields = {f"Seq_Frame{i:04}_{field}": "INVALID" if i in (0, 3) else "OK" for i in range(4)}
    fields |= {f"Seq_Frame{i:04}_ProbeToTrackerTransformStatus": "INVALID" for i in range(5)}
    fields |= {f"Seq_Frame{i:04}_Timestamp": str(100 + i / 4) for i in range(5)}
    source = open_bytes(name, file_of(name, frames, fields))
    np.testing.assert_array_equal([frame.pixels for frame in source.frames()], frames[[1, 2, 4]])
    assert [frame.index for frame in source.frames()] == [0, 1, 2]
    assert source.info.notice == f"2 of 5 frames of {name} are marked invalid and left out."
    assert [frame.time_s for frame in source.frames()] == [0, 0.25, 0.75]
    # Masks stand at the frames of the file, so that both can be laid over each other.
    source.save_masks([frame > 100 for frame in frames[[1, 2, 4]]], str(tmp_path / "m.nii"))
    expected = np.where(np.isin(np.arange(5), [1, 2, 4])[:, None, None], frames > 100, False)
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "m.nii").dataobj).T, expected)


def test_a_file_of_invalid_frames_is_refused(open_bytes):
    fields = {f"Seq_Frame{i:04}_ImageStatus": "INVALID" for i in range(3)}
    with pytest.raises(FormatError, match="All 3 frames"):
        open_bytes("s.igs.mha", mha_bytes(pictures(3), fields))


@pytest.mark.parametrize(
    ("stamps", "times", "fps"),
    [
        (["7.5", "8.0", "9.5"], [0, 0.5, 2.0], 1.0),
        (["7.5", "7.5", "8.5"], [0, 0, 1.0], 2.0),
        (["7.5", "8.0"], [None] * 3, None),
        (["7.5", "8.0", "nan"], [None] * 3, None),
        (["7.5", "8.0", "soon"], [None] * 3, None),
        (["7.5", "8.0", "7.9"], [None] * 3, None),
        (["7.5", "7.5", "7.5"], [None] * 3, None),
        ([], [None] * 3, None),
    ],
)
def test_time_is_the_files_or_none(open_bytes, stamps, times, fps):
    fields = {f"Seq_Frame{i:04}_Timestamp": stamp for i, stamp in enumerate(stamps)}
    fields |= {f"Seq_Frame{i:04}_UnfilteredTimestamp": "5" for i in range(3)}
    source = open_bytes("s.igs.mha", mha_bytes(pictures(3), fields))
    assert [frame.time_s for frame in source.frames()] == times
    assert source.info.fps == fps


@pytest.mark.parametrize(("units", "fps"), [("s", 2), ("ms", 2000), ("", None), ("mm", None)])
def test_index_values_are_times_only_where_their_unit_says_so(open_bytes, units, fps):
    assert open_bytes("s.seq.nrrd", slicer_bytes(pictures(3), units=units, values="0 0.5 1")).info.fps == fps
