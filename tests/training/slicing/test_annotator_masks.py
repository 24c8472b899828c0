"""A second reader's masks on the slices of a store: what they found, also where that is nothing."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from inference.errors import FormatError
from training.cohort.cases import Case
from training.slicing.annotator_masks import cut_reader
from training.slicing.cutting import Cutting
from training.slicing.slices import NATIVE, read_slices, read_tumour, write_slices
from training.slicing.store import cut_cases

AFFINE = np.diag([0.5, 0.5, 0.5, 1.0])


def saved(path: Path, voxels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, AFFINE), path)
    return path


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """A bright volume with a block of tumour, cut into the slices of a store."""
    mask = np.zeros((12, 13, 14), np.uint8)
    mask[4:7, 5:8, 6:9] = 1
    us = saved(tmp_path / "us.nii.gz", np.full(mask.shape, 50, np.uint8))
    one = Case("C1", "P1", us=us, us_label=saved(tmp_path / "mask.nii.gz", mask))
    cut_cases([one], tmp_path / "store", Cutting())
    return one


def test_each_slice_gets_the_readers_own_plane(case: Case, tmp_path: Path) -> None:
    voxels = np.zeros((12, 13, 14), np.uint8)
    voxels[5:7, 5:8, 6:9] = 1
    saved(tmp_path / "reader" / "C1.nii.gz", voxels)
    cut_reader([case], tmp_path / "reader", tmp_path / "store", tmp_path / "out", "isotropic")
    for row in read_slices(tmp_path / "store"):
        plane = np.take(voxels, row.index, "ijk".index(row.axis)).T
        np.testing.assert_array_equal(read_tumour(tmp_path / "out" / f"{row.name}.nii.gz"), plane > 0)


def test_a_reader_who_found_nothing_is_no_failure(case: Case, tmp_path: Path) -> None:
    """The comparison stopped there, and could go on only without the case that the reader missed."""
    saved(tmp_path / "reader" / "C1.nii.gz", np.zeros((12, 13, 14), np.uint8))
    cut_reader([case], tmp_path / "reader", tmp_path / "store", tmp_path / "out", "isotropic")
    rows = read_slices(tmp_path / "store")
    assert rows
    assert not any(read_tumour(tmp_path / "out" / f"{row.name}.nii.gz").any() for row in rows)


def test_frames_of_a_sweep_are_told_apart_in_a_sentence(case: Case, tmp_path: Path) -> None:
    saved(tmp_path / "reader" / "C1.nii.gz", np.zeros((12, 13, 14), np.uint8))
    rows = [replace(row, axis=NATIVE) for row in read_slices(tmp_path / "store")]
    write_slices(rows, tmp_path / "store" / "slices.csv")
    with pytest.raises(FormatError, match="C1 has frames of its own"):
        cut_reader([case], tmp_path / "reader", tmp_path / "store", tmp_path / "out", "isotropic")
