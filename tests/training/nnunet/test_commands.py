"""nnU-Net finds our trainer by its own look-up, reads our data sets, and runs where torchvision is of another build."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nnunetv2.training.nnUNetTrainer.variants.data_augmentation.nnUNetTrainerDA5 import nnUNetTrainerDA5
from nnunetv2.utilities.find_class_by_name import recursive_find_python_class
from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

from training.cli import main
from training.nnunet.commands import LOOKUP
from training.nnunet.dataset import Choice, write_dataset
from training.nnunet.names import TRAINER
from training.nnunet.trainer import nnUNetTrainerDA5EarlyStopping
from training.slicing.slices import read_slices
from training.slicing.store_folds import draw_store_folds


def looked_up(folder: Path) -> type:
    """As nnU-Net looks in a folder of nnUNet_extTrainer (nnunetv2.utilities.find_objects)."""
    found = recursive_find_python_class(
        str(folder), TRAINER, None, base_folder=str(folder), cleanup_imports_from_base_folder=True
    )
    assert isinstance(found, type)
    return found


def test_nnunet_finds_our_trainer():
    assert looked_up(LOOKUP) is nnUNetTrainerDA5EarlyStopping


def test_a_copy_of_the_file_predicts_where_this_package_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copy(LOOKUP / "ius_trainer.py", tmp_path / "copied.py")
    monkeypatch.setitem(sys.modules, "training.nnunet.trainer", None)
    alone = looked_up(tmp_path)
    assert issubclass(alone, nnUNetTrainerDA5)
    assert alone.build_network_architecture is nnUNetTrainerDA5.build_network_architecture
    with pytest.raises(RuntimeError, match="train with 'ius-train fit'"):
        alone.run_training(None)


def test_nnunet_reads_the_data_set_that_fit_writes(store: Path, tmp_path: Path):
    raw = tmp_path / "Dataset501_US"
    write_dataset([store], raw, Choice(), draw_store_folds([store], 0))
    listed = get_filenames_of_train_images_and_targets(str(raw), json.loads((raw / "dataset.json").read_text()))
    assert set(listed) == {row.name for row in read_slices(store)}
    files = [path for one in listed.values() for path in (*one["images"], one["label"])]
    assert all(Path(path).is_file() for path in files)


def test_a_command_that_nnunet_lacks_is_refused(tmp_path: Path, capsys):
    for words in ([], ["trane"]):
        assert main(["nnunet", str(tmp_path / "work"), *words]) == 2
        assert "nnU-Net has accumulate_crossval_results, " in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_a_folder_that_is_not_there_is_refused_and_not_made(tmp_path: Path, capsys):
    assert main(["nnunet", str(tmp_path / "nowhere"), "predict"]) == 2
    assert "name the working folder of 'ius-train fit'" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


def test_torchvision_of_another_build_is_no_obstacle():
    """In a process of its own, in which its compiled part does not load, whatever is installed here."""
    code = (
        "import torch\ndef fails(path): raise OSError(path)\ntorch.ops.load_library = fails\n"
        "from training.nnunet.commands import make_importable\nmake_importable()\n"
        "from torchvision.ops.misc import FrozenBatchNorm2d\nprint(FrozenBatchNorm2d.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "FrozenBatchNorm2d", done.stderr
