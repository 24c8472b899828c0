"""Matched volumes: files and cases of their own, on the grid of their labels, and no recorded picture changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from inference.errors import IusError, NotFoundError
from training.cli import main
from training.cohort.cases import Case, read_cases, write_cases
from training.simulation import CohortError
from training.simulation.matched import match_cases

SIDE = 32


def volume(path: Path, seed: int, scale: float) -> Path:
    """A ball of speckle, turned and shifted in the world."""
    k, j, i = np.indices((SIDE, SIDE, SIDE)) - SIDE // 2
    grey = np.random.default_rng(seed).rayleigh(scale, k.shape) + 2
    image = sitk.GetImageFromArray(np.where(k**2 + j**2 + i**2 < 15**2, grey, 0).astype(np.float32))
    image.SetSpacing((0.5, 0.6, 0.7))
    image.SetOrigin((-12.0, 30.0, 5.0))
    image.SetDirection((0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def recorded(tmp_path: Path) -> list[Path]:
    return [volume(tmp_path / f"recorded{n}.nii.gz", 50 + n, scale) for n, scale in enumerate((10.0, 60.0))]


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    sweep = tmp_path / "sweep.dcm"
    return [
        Case(f"S{n}", f"P{n}", us=volume(tmp_path / f"S{n}.nii.gz", n, 25.0), us_label=tmp_path / f"S{n}-tumor.nii.gz",
             sweep=sweep, phase="before", simulated=True)
        for n in range(6)
    ]  # fmt: skip


def test_each_volume_is_on_its_old_grid_and_looks_like_one_of_those_named(
    cases: list[Case], recorded: list[Path], tmp_path: Path
) -> None:
    matched = match_cases(cases, recorded, tmp_path / "out", seed=3)
    assert matched == read_cases(tmp_path / "out" / "cases.csv")
    wanted = [np.median(_inside(path)) for path in recorded]
    seen = set()
    for case, made in zip(cases, matched, strict=True):
        assert (made.case, made.patient, made.simulated) == (f"{case.case}m3", case.patient, True)
        assert (made.us_label, made.sweep, made.sweep_label) == (case.us_label, None, None)
        before, after = sitk.ReadImage(str(case.us)), sitk.ReadImage(str(made.us))
        for of in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
            assert getattr(after, of)() == pytest.approx(getattr(before, of)())
        assert made.us is not None
        off = [abs(np.median(_inside(made.us)) / one - 1) for one in wanted]
        assert min(off) < 0.02
        seen.add(int(np.argmin(off)))
    assert seen == {0, 1}, "each is drawn for some case"


def test_the_same_seed_gives_the_same_bytes_whatever_other_cases_there_are(
    cases: list[Case], recorded: list[Path], tmp_path: Path
) -> None:
    (all_of_them, one) = (match_cases(some, recorded, tmp_path / str(len(some)), 3) for some in (cases, cases[2:3]))
    (again,) = [made.us for made in all_of_them if made.case == one[0].case]
    assert again is not None
    assert one[0].us is not None
    assert again.read_bytes() == one[0].us.read_bytes()


def test_a_recorded_picture_is_never_changed(cases: list[Case], recorded: list[Path], tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="S4 is no simulated patient"):
        match_cases([*cases[:4], replace(cases[4], simulated=False)], recorded, tmp_path / "out", 3)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("missing", ["case", "recorded", "all"])
def test_what_is_not_there_is_said_before_anything_is_written(
    cases: list[Case], recorded: list[Path], tmp_path: Path, missing: str
) -> None:
    if missing == "case":
        cases[5] = replace(cases[5], us=tmp_path / "gone.nii.gz")
    elif missing == "recorded":
        recorded.append(tmp_path / "gone.nii.gz")
    else:
        cases = [replace(case, exclude=True, reason="none of them") for case in cases]
    with pytest.raises(NotFoundError, match=r"gone|there is none to use"):
        match_cases(cases, recorded, tmp_path / "out", 3)
    assert not (tmp_path / "out").exists()


def test_a_run_that_ends_half_way_leaves_no_table_of_the_run_before(
    cases: list[Case], recorded: list[Path], tmp_path: Path
) -> None:
    match_cases(cases[:1], recorded, tmp_path / "out", 3)
    assert cases[1].us is not None
    cases[1].us.write_bytes(b"no volume")
    with pytest.raises(IusError):
        match_cases(cases[:2], recorded, tmp_path / "out", 3)
    assert not (tmp_path / "out" / "cases.csv").exists()


def test_it_runs_from_the_command_line_and_its_cases_are_cut(
    cases: list[Case], recorded: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in cases:
        assert case.us is not None
        label = sitk.Cast(sitk.ReadImage(str(case.us)) > 60, sitk.sitkUInt8)
        sitk.WriteImage(label, str(case.us_label))
    table = tmp_path / "cases.csv"
    write_cases([replace(case, sweep=None) for case in cases], table)
    out = tmp_path / "out"
    assert main(["match", str(table), "--like", *map(str, recorded), "--out", str(out)]) == 0
    assert "6 volumes: " in capsys.readouterr().out
    assert (out / "receipt-match.json").is_file()
    assert main(["slice", str(out / "cases.csv"), "--out", str(tmp_path / "store")]) == 0
    before = table.read_bytes()
    assert main(["match", str(table), "--like", *map(str, recorded), "--out", str(tmp_path)]) == 2
    assert "would be replaced by the matched cases" in capsys.readouterr().err
    assert table.read_bytes() == before


def _inside(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return np.asarray(pixels[pixels > 0], np.float32)
