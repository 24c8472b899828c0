"""Shared by every test."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; other people's, so not in it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is not here: real ultrasound beside the checkout")
    return SHARED_DATA
