"""A mask of several labels is known by all of its voxels."""

from pathlib import Path

import numpy as np
import pytest

from inference.errors import FormatError
from training.cohort.mask_checks import check_classes


def test_a_second_label_of_three_voxels_is_seen_in_a_million():
    """Every fifth of them was looked at, and a small second tumour's or vessel's label counted as the tumour."""
    voxels = np.ones(1_000_000, np.uint8)
    check_classes(voxels, Path("one.nii.gz"))
    voxels[500_001:500_004] = 2
    with pytest.raises(FormatError, match="holds the labels 1, 2"):
        check_classes(voxels, Path("two.nii.gz"))


def test_nothing_above_zero_is_no_second_label():
    check_classes(np.zeros(0, np.uint8), Path("empty.nii.gz"))
