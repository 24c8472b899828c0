"""What is read besides pictures, made by code: contract, checkpoint, declaration, tables, messages; and its reader."""

import csv
import json
import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pyigtl
import torch
from onnx import TensorProto, helper

from inference.errors import FormatError
from inference.model.engine import Engine
from inference.sources.openigtlink import _Client
from inference.sources.plus_config import config_spacing
from training.cohort.cases import read_cases
from training.cohort.folds import read_folds
from training.experiments.declaration import find_experiment, read_experiment
from training.export.training_facts import PUBLISHED, read_population
from training.nnunet.exclusions import read_exclusions
from training.nnunet.results.checkpoint import read_checkpoint
from training.registration.landmarks import read_landmarks
from training.registration.transforms import read_transform
from training.slicing.by_eye import OUTLINES, read_outlines
from training.slicing.slices import SliceRow, read_slices, write_slices

TAGS = """MNI Tag Point File
Volumes = 2;
Points =
 12.5 -3.25 40.0 13.1 -2.9 41.2 ""
 -1.5 7.75 22.0 -0.9 8.1 23.4 "";
"""
PLUS = """<?xml version="1.0"?>
<PlusConfiguration version="2.3">
  <CoordinateDefinitions>
    <Transform From="Image" To="TransducerOriginPixel" Matrix="1 0 0 -320 0 1 0 0 0 0 1 0 0 0 0 1" />
    <Transform From="Image" To="Probe" Matrix="0.12 0 0 -38 0 0.12 0 4 0 0 0.12 0 0 0 0 1" />
  </CoordinateDefinitions>
</PlusConfiguration>
"""
CONTRACT = Path(__file__).parents[2] / "assets" / "models" / "demo.onnx"


@dataclass(frozen=True, slots=True)
class Reader:
    """A kind of file: what writes a whole one into a folder, and what reads it or says why not."""

    write: Callable[[Path], Path]
    read: Callable[[Path], object]


def _contract(folder: Path) -> Path:
    """The bundled model's metadata as text."""
    metadata = {one.key: one.value for one in onnx.load(CONTRACT).metadata_props}
    (folder / "contract.json").write_text(json.dumps(metadata), encoding="utf-8")
    return folder / "contract.json"


def shaped(name: str, channels: int) -> onnx.ValueInfoProto:
    """A network's input or output."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 256, 256])


def _load_with(path: Path) -> None:
    """Load a network of one pixel-wise node that has this text as its metadata."""
    try:
        metadata = json.loads(path.read_bytes())
    except ValueError as error:
        raise FormatError("no JSON: nothing to try") from error
    if not isinstance(metadata, dict):
        raise FormatError("no metadata: nothing to try")
    node = helper.make_node("Concat", ["image", "image"], ["logits"], axis=1)
    graph = helper.make_graph([node], "g", [shaped("image", 1)], [shaped("logits", 2)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {str(key): str(value) for key, value in metadata.items()})
    onnx.save(model, path.with_suffix(".onnx"))
    Engine.load(path.with_suffix(".onnx"), threads=1)


def _checkpoint(folder: Path) -> Path:
    weights = {"seg.weight": torch.zeros(2, 4, 1, 1), "seg.bias": torch.zeros(2)}
    torch.save({"network_weights": weights, "logging": {"best": np.int64(3)}}, folder / "checkpoint_best.pth")
    return folder / "checkpoint_best.pth"


def _declaration(folder: Path) -> Path:
    return Path(shutil.copyfile(find_experiment("rare"), folder / "rare.yaml"))


def _table(folder: Path) -> Path:
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["dataset", "patient", "case", "us", "us_label"])
        rows.writerows([["own", f"P{n}", f"Case{n}", f"us/{n}.nii.gz", f"us/{n}-é.nii.gz"] for n in range(4)])
    return folder / "cases.csv"


def _text(name: str, content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(content, encoding="utf-8")
        return folder / name

    return write


def _slices(folder: Path) -> Path:
    rows = [SliceRow(f"Case1_k{n:04}", "Case1", "Patient1", "k", n, 40.0 * n, 64, 48, 0.3, 0.3) for n in range(5)]
    write_slices(rows, folder / "slices.csv")
    return folder / "slices.csv"


def _population(folder: Path) -> Path:
    return Path(shutil.copyfile(PUBLISHED / "US_200.json", folder / "population.json"))


def _plus_scale(path: Path) -> None:
    spacing = config_spacing(path)
    assert 0.005 <= spacing.row_mm <= 3
    assert 0.005 <= spacing.col_mm <= 3


def _messages(folder: Path) -> Path:
    voxels = np.full((1, 24, 32), 90, np.uint8)
    one = bytes(pyigtl.ImageMessage(voxels, ijk_to_world_matrix=np.diag([0.2, 0.3, 1, 1]), device_name="Image").pack())
    (folder / "sent.bin").write_bytes(one * 3)
    return folder / "sent.bin"


def _receive(path: Path) -> None:
    """Connect to a server that sends the file's bytes and hangs up, and read to the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(path.read_bytes())

        sender = threading.Thread(target=serve)
        sender.start()
        with closing(_Client("127.0.0.1", listener.getsockname()[1], None, "", tell_absent=True)) as client:
            while (picture := client.read()) is not None:
                scale = picture.spacing
                assert scale is None or (0.005 <= scale.row_mm <= 3 and 0.005 <= scale.col_mm <= 3)
        sender.join()


READERS: dict[str, Reader] = {
    "contract": Reader(_contract, _load_with),
    "checkpoint": Reader(_checkpoint, read_checkpoint),
    "declaration": Reader(_declaration, read_experiment),
    "case-table": Reader(_table, read_cases),
    "slice-table": Reader(_slices, read_slices),
    "exclusions": Reader(_text("left_out.csv", "case,reason\nCase1,no tumour seen\nCase4,cut\n"), read_exclusions),
    "folds": Reader(_text("folds.json", json.dumps({"seed": 0, "folds": [["A", "B"], ["C"], ["D"]]})), read_folds),
    "population": Reader(_population, lambda path: read_population(str(path))),
    "outlines": Reader(lambda folder: Path(shutil.copyfile(OUTLINES, folder / "outlines.json")), read_outlines),
    "matrix": Reader(_text("a.txt", "1 0 0 12.5\n0 1 0 -3\n0 0 1 0.25\n0 0 0 1\n"), read_transform),
    "landmarks": Reader(_text("Case1-MRI-beforeUS.tag", TAGS), read_landmarks),
    "plus-configuration": Reader(_text("plus.xml", PLUS), _plus_scale),
    "openigtlink": Reader(_messages, _receive),
}
"""Each kind by name."""
