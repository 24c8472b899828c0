"""The facts under the state."""

from inference.readout.facts import scale_words
from inference.spacing import PixelSpacing, Provenance


def test_a_scale_names_its_provenance_and_both_axes_where_they_differ() -> None:
    assert scale_words(None) == "unknown"
    assert scale_words(PixelSpacing(0.15, 0.15, Provenance.DICOM_REGION)) == "0.15 mm/px · DICOM region"
    assert scale_words(PixelSpacing(0.15, 0.3, Provenance.HEADER)) == "0.15 × 0.3 mm/px · file header"
