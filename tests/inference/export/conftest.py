"""The bundled model, and files that the tests of sending share."""

from pathlib import Path

import pytest

from inference.assets import demo_model_path
from inference.export.capture import Capture
from inference.export.dicom import write_dicom_pair
from inference.model.engine import Engine
from inference.outcome import UnknownSpacing
from inference.sources.simulated import PhantomSource


@pytest.fixture(scope="package")
def engine() -> Engine:
    """The bundled model."""
    return Engine.load(demo_model_path())


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two exported frames."""
    with PhantomSource(rows=96, cols=128, count=2) as source:
        for number in range(2):
            outcome = UnknownSpacing(source.read(number), "Nobody knows.")
            write_dicom_pair(Capture(outcome, (0.0, 255.0)), tmp_path / f"frame-{number}.dcm")
    return sorted(tmp_path.glob("frame-?.dcm"))
