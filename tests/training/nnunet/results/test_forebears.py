"""Whom the weights of a training come from is written down when it starts, and read again."""

from pathlib import Path

import pytest

from inference.errors import FormatError
from training.nnunet.results.forebears import Forebear, entry, forebears_in
from training.nnunet.results.trained_on import behind

DEMO = Path(__file__).parents[4] / "assets" / "models" / "demo.onnx"


def test_a_training_that_goes_on_from_an_export_says_on_whom_that_was_trained():
    (found,) = forebears_in(entry(behind(DEMO).forebears))
    assert found.name.startswith("Demonstration (simulated)")
    assert (found.simulated, found.n_patients > 100) == (True, True)
    assert f"trained on {found.n_patients} simulated patients." in found.words


def test_a_training_from_nothing_or_from_a_checkpoint_has_none():
    assert forebears_in(entry(behind(Path("fold_0/checkpoint_best.pth")).forebears)) == forebears_in({}) == ()


def test_an_unknown_number_is_not_none():
    assert "an unrecorded number of real patients" in Forebear(name="Clinic 1", n_patients=0, simulated=False).words


@pytest.mark.parametrize("damaged", ["Clinic", [{"name": "Clinic 1"}], [3]])
def test_a_damaged_entry_is_not_taken_for_none(damaged):
    with pytest.raises(FormatError, match="names no models under forebears"):
        forebears_in({"forebears": damaged})
