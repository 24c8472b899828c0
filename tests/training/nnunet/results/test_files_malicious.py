"""Malicious and damaged files: each is refused with a sentence, and none runs code or writes anything."""

import io
import json
import pickle
import stat
import zipfile
from pathlib import Path

import pytest
import torch

from inference.errors import ModelError
from training.cli import main
from training.export.network import build_network
from training.nnunet.results.checkpoint import read_trained
from training.nnunet.results.files import find_model


class Bomb:
    """An object that touches a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def mark(tmp_path):
    """A file that exists only if something ran."""
    path = tmp_path / "ran"
    yield path
    assert not path.exists()


def test_the_bomb_works(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "ran")))  # noqa: S301 - proves that the others would have run
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("zipped", [True, False], ids=["torch", "plain pickle"])
def test_a_checkpoint_with_code_in_a_zip(published, mark, zipped):
    buffer = io.BytesIO()
    torch.save({"network_weights": {"a": Bomb(mark)}}, buffer, _use_new_zipfile_serialization=zipped)
    name = "nnUNetTrainerWithESandDA5__nnUNetPlans__2d/fold_7/checkpoint_best.pth"
    with pytest.raises(ModelError, match="could run code"):
        read_trained(published(folds=1, extra={name: buffer.getvalue()}), [7])


def test_a_postprocessing_pickle_with_code(published, mark):
    name = "nnUNetTrainerWithESandDA5__nnUNetPlans__2d/crossval_results_folds_0/postprocessing.pkl"
    path = published(folds=1, twin=False, extra={name: pickle.dumps(Bomb(mark))})
    with pytest.raises(ModelError, match="could run code and is not opened"):
        read_trained(path, [0])
    assert read_trained(path, [0], postprocessing="largest").keep_largest


@pytest.mark.parametrize("place", ["network", "layer"])
def test_plans_that_name_other_code(model_folder, mark, tmp_path, monkeypatch, place):
    (tmp_path / "trap.py").write_text(f"open({str(mark)!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    folder = model_folder()
    plans = json.loads((folder / "plans.json").read_text())
    architecture = plans["configurations"]["2d"]["architecture"]
    if place == "network":
        architecture["network_class_name"] = "trap.PlainConvUNet"
    else:
        architecture["arch_kwargs"]["harmless"] = "trap"
        architecture["_kw_requires_import"].append("harmless")
    (folder / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(ModelError, match="built from 'trap"):
        build_network(read_trained(folder, [0]))


@pytest.mark.parametrize(
    "name",
    [
        "../../../evil.json",
        "sub/../../../../evil.json",
        "..\\..\\..\\evil.json",
        "/evil.json",
        "C:\\evil.json",
        "\\\\a\\b",
    ],
)
def test_entries_that_leave_the_zip(published, name):
    path = published(folds=1)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(ModelError, match="lies outside its folder"):
        find_model(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert not list(path.parent.parent.glob("evil*"))


def test_a_link_in_the_zip(published):
    path = published(folds=1)
    link = zipfile.ZipInfo("Dataset502_MRI_200/nnUNetTrainer__nnUNetPlans__2d/plans.json")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelError, match="is a link"):
        find_model(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_for_two_files(published):
    path = published(folds=1)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(archive.namelist()[0], "{}")
    with pytest.raises(ModelError, match="twice"):
        find_model(path)


def test_an_encrypted_zip(published):
    path = published(folds=1)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"changed"  # makes zipfile write the directory again
        for entry in archive.filelist:
            entry.flag_bits |= 1
    with pytest.raises(ModelError, match="is encrypted: unpack it"):
        find_model(path)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.999])
def test_a_truncated_zip(published, kept):
    path = published(folds=1)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(ModelError, match=r"damaged or no zip .*download it again"):
        find_model(path)


def test_a_flipped_bit_in_the_zip(published):
    path = published(folds=1)
    name = "Dataset502_MRI_200/nnUNetTrainerWithESandDA5__nnUNetPlans__2d/fold_0/checkpoint_best.pth"
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(name)
    data = bytearray(path.read_bytes())
    data[entry.header_offset + len(name) + entry.compress_size // 2] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        read_trained(path, [0])


def test_a_zip_that_unpacks_to_too_much(published):
    name = "nnUNetTrainerWithESandDA5__nnUNetPlans__2d/fold_0/receipt-fit.json"
    with pytest.raises(ModelError, match="would unpack to 65 MiB"):
        read_trained(published(folds=1, extra={name: b" " * (65 << 20)}), [0])


def test_a_checkpoint_that_unpacks_to_too_much(model_folder):
    file = model_folder() / "fold_0" / "checkpoint_best.pth"
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        archive.writestr("archive/data/999", bytes(4 << 20))
    with pytest.raises(ModelError, match="would grow to"):
        read_trained(file.parent.parent, [0])


@pytest.mark.parametrize("name", ["plans.json", "dataset.json", "dataset_fingerprint.json"])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\3\4", "not JSON"),
        (b"\xff\xfe\0", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "no JSON object"),
    ],
    ids=["zip", "binary", "deep", "list"],
)
def test_what_should_be_json_and_is_not(model_folder, name, content, sentence):
    folder = model_folder()
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=sentence):
        read_trained(folder, [0])


@pytest.mark.parametrize(
    "checkpoint",
    [
        ["a list"],
        {"network_weights": ["a list"]},
        {"network_weights": {"encoder": "no tensor"}},
        {"network_weights": {}, "trainer_name": 3, "init_args": 4, "inference_allowed_mirroring_axes": 5},
    ],
    ids=["list", "weights list", "weights text", "nothing"],
)
def test_checkpoints_of_another_kind(model_folder, checkpoint):
    folder = model_folder()
    torch.save(checkpoint, folder / "fold_0" / "checkpoint_best.pth")
    with pytest.raises(ModelError, match=r"no nnU-Net checkpoint|not those of the network"):
        build_network(read_trained(folder, [0]))


def test_the_command_line_says_it_in_one_sentence(tmp_path, capsys):
    (tmp_path / "m.zip").write_bytes(b"not a zip")
    missing = ["export", str(tmp_path / "none.zip"), "--out", str(tmp_path / "m.onnx"), "--name", "x", "--simulated"]
    for command in (missing, [missing[0], str(tmp_path / "m.zip"), *missing[2:]]):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
    assert not (tmp_path / "m.onnx").exists()
