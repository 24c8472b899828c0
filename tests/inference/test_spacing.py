"""The one door for scales: what file, configuration or stream state is believed only if a probe could give it."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sequences import mha_bytes, pictures

from inference.errors import FormatError
from inference.ruler import ruler_spacing
from inference.sources import open_here, open_source
from inference.sources.plus_config import config_spacing
from inference.spacing import PixelSpacing, Provenance, admitted

STATED = [one for one in Provenance if not one.confirmed]
CONFIRMED = [one for one in Provenance if one.confirmed]


@given(st.floats(1e-30, 1e30), st.floats(1e-30, 1e30), st.integers(64, 2000), st.sampled_from(STATED))
def test_nothing_stated_passes_that_no_probe_gives(row_mm: float, col_mm: float, rows: int, origin: Provenance) -> None:
    spacing, reason = admitted(PixelSpacing(row_mm, col_mm, origin), "", rows, name="a.dcm")
    plausible = 0.005 <= row_mm <= 3 and 0.005 <= col_mm <= 3 and 20 <= rows * row_mm <= 400
    assert (spacing is not None) == plausible
    assert (reason == "") == plausible
    assert plausible or ("a.dcm" in reason and "type the mm per pixel" in reason)


@given(st.floats(1e-30, 1e30), st.integers(1, 2000), st.sampled_from(CONFIRMED))
def test_what_a_person_says_passes(mm: float, rows: int, origin: Provenance) -> None:
    stated = PixelSpacing(mm, mm, origin)
    assert admitted(stated, "", rows, name="a") == (stated, "")


@given(st.text(max_size=20))
def test_an_unknown_scale_keeps_its_reason(reason: str) -> None:
    assert admitted(None, reason, 480, name="a") == (None, reason)


def test_a_real_clip_that_counts_pixels_is_unknown(shared_data: Path) -> None:
    with open_source(str(shared_data / "field/scale_implausible/mm_ps_1.dcm")) as source:
        assert source.info.spacing is None
        assert "counts pixels" in source.info.no_spacing_reason


METRES = (
    '<PlusConfiguration version="2.1"><CoordinateDefinitions><Transform From="Image" To="Probe" '
    'Matrix="0 0.0002 0 0 0.0002 0 0 0 0 0 0.0002 0 0 0 0 1" /></CoordinateDefinitions></PlusConfiguration>'
)


@pytest.mark.parametrize("where", ["made", "recorded"])
def test_a_configuration_in_metres_is_unknown_until_typed(
    tmp_path: Path, where: str, request: pytest.FixtureRequest
) -> None:
    if where == "made":
        config, sweep = tmp_path / "metres.xml", str(tmp_path / "sweep.igs.mha")
        config.write_text(METRES)
        Path(sweep).write_bytes(mha_bytes(pictures(3, 64, 80)))
    else:
        folder = request.getfixturevalue("shared_data") / "field/scale_implausible"
        config, sweep = next(folder.glob("*.xml")), str(folder / "NwirePhantomFreehandCropped.igs.mha")
    assert config_spacing(config).row_mm < 0.005
    with open_source(sweep, config=config) as source:
        assert source.info.spacing is None
        assert "no ultrasound picture has" in source.info.no_spacing_reason
    typed = PixelSpacing(0.1, 0.1, Provenance.TYPED)
    with open_source(sweep, config=config, spacing=typed) as source:
        assert source.info.spacing == typed


@pytest.mark.parametrize("unit", ["metre", "micrometre", "none"])
def test_units_are_honoured_before_the_door(tmp_path: Path, unit: str) -> None:
    import nibabel as nib

    length = {"metre": 0.0003, "micrometre": 300.0, "none": 0.3}[unit]
    image = nib.Nifti1Image(np.zeros((200, 200, 3), np.uint8), np.diag([length, length, length, 1]))
    image.header.set_xyzt_units({"metre": "meter", "micrometre": "micron", "none": "unknown"}[unit])
    image.to_filename(tmp_path / "a.nii")
    source = open_here(str(tmp_path / "a.nii"))
    assert source.info.spacing is not None
    assert source.info.spacing.row_mm == pytest.approx(0.3, rel=1e-5)


def test_hostile_headers_have_no_scale(shared_data: Path) -> None:
    tried = 0
    for path in sorted((shared_data / "hostile/special").glob("nii-*")):
        try:
            source = open_here(str(path))
        except FormatError:
            continue
        spacing = source.info.spacing
        assert spacing is None or 0.005 <= spacing.row_mm <= 3, path.name
        tried += 1
    assert tried > 5


@given(st.floats(0.3, 3), st.floats(0.05, 1), st.floats(-300, 300), st.floats(30, 300))
def test_a_ruler_at_any_slant_gives_the_pixels_that_the_video_states(
    aspect: float, row_mm: float, across: float, down: float
) -> None:
    length = math.hypot(across * row_mm * aspect, down * row_mm)
    measured = ruler_spacing((10.0, 10.0), (10.0 + across, 10.0 + down), length, aspect)
    assert (measured.row_mm, measured.col_mm) == pytest.approx((row_mm, row_mm * aspect))
