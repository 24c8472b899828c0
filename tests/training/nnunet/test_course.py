"""The settings that a receipt states are those that trained: also of one that went on with others, or had ended."""

from pathlib import Path

import msgspec
import pytest

from inference.errors import FormatError
from training.io.receipt import write_json
from training.nnunet.course import course, follow
from training.nnunet.settings import FitSettings

SHORT = FitSettings(epochs=5, batch_size=2)


def with_other(**settings: object) -> FitSettings:
    return msgspec.structs.replace(SHORT, **settings)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"epochs": 1000}, "with epochs 5, and is not trained again with epochs 1000"),
        ({"batch_size": None, "seed": 3}, "batch_size 2, seed 0, and .* batch_size nnU-Net's own, seed 3"),
    ],
)
def test_a_training_that_has_ended_is_not_said_to_have_had_other_settings(tmp_path: Path, other, words):
    follow(tmp_path, SHORT)
    (tmp_path / "checkpoint_final.pth").touch()
    follow(tmp_path, SHORT)
    with pytest.raises(FormatError, match=words):
        follow(tmp_path, with_other(**other))
    follow(tmp_path, with_other(workers=7, jobs=3, tensorboard=True))  # by which nothing is trained otherwise
    assert len(course(tmp_path)) == 1


def test_an_ended_training_of_an_earlier_version_is_known_by_its_receipt(tmp_path: Path):
    write_json({"settings": {"epochs": 5, "slices": ["a"]}}, tmp_path / "receipt-fit.json")
    (tmp_path / "checkpoint_final.pth").touch()
    follow(tmp_path, SHORT)
    with pytest.raises(FormatError, match="epochs 5"):
        follow(tmp_path, with_other(epochs=6))


def test_a_training_that_goes_on_with_others_tells_both(tmp_path: Path):
    for settings in (SHORT, SHORT, with_other(batch_size=12), with_other(batch_size=12)):
        follow(tmp_path, settings)
    assert [one["batch_size"] for one in course(tmp_path)] == [2, 12]


@pytest.mark.parametrize("fold", ["fold_3", "fold_all"])
def test_no_post_processing_is_obeyed_that_was_chosen_with_an_earlier_training(tmp_path: Path, fold: str, capsys):
    """Folds of other slices were removed, as a sentence said, and the new model kept the largest region alone."""
    chosen = tmp_path / "crossval_results_folds_0_1_2_3_4" / "postprocessing.json"
    write_json({}, chosen)
    (tmp_path / "fold_0").mkdir()
    (tmp_path / "fold_0" / "checkpoint_final.pth").touch()
    follow(tmp_path / "fold_0", SHORT)
    assert chosen.is_file(), "nothing is trained"
    follow(tmp_path / fold, SHORT)
    assert chosen.is_file() == (fold == "fold_all")
    assert ("was chosen with an earlier training" in capsys.readouterr().err) == (fold != "fold_all")
