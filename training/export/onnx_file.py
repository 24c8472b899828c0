"""The .onnx file: holds contract and golden cases in its metadata, and is written whole or not at all."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import onnx

from inference.contract import CONTRACT_KEY, GOLDEN_KEY, ModelContract
from inference.errors import ModelError
from inference.model import golden
from inference.model.golden import GoldenCase
from training.export.card import model_card
from training.io import receipt
from training.io.files import written_aside


def read_again(path: Path, sha256: str) -> bytes:
    """The bytes of a model that was loaded before, maybe hours ago.

    Args:
        path: the .onnx.
        sha256: of the bytes that were loaded.

    Raises:
        ModelError: if it is another file by now: nothing that was measured holds for that.
    """
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(f"{path} was replaced while it was in use, so nothing was written: begin again.")
    return data


def seal(model: onnx.ModelProto, contract: ModelContract, cases: Sequence[GoldenCase]) -> ModelContract:
    """Store a contract and its golden cases in a model, replacing any it had.

    Returns:
        The contract as stored: with the sha256 of the golden cases.
    """
    text, sha256 = golden.pack(cases)
    test = msgspec.structs.replace(contract.self_test, golden_sha256=sha256)
    sealed = msgspec.structs.replace(contract, self_test=test)
    del model.metadata_props[:]
    for key, value in ((CONTRACT_KEY, sealed.to_json()), (GOLDEN_KEY, text)):
        model.metadata_props.add(key=key, value=value)
    return sealed


def anonymous(model: onnx.ModelProto) -> None:
    """Take off what PyTorch's exporter notes of its own run: stack traces with the folders of this computer."""
    graph = model.graph
    for part in (
        graph,
        *graph.node,
        *graph.value_info,
        *graph.input,
        *graph.output,
        *graph.initializer,
        *model.functions,
    ):
        del part.metadata_props[:]
        part.doc_string = ""
    for function in model.functions:
        for node in function.node:
            del node.metadata_props[:]
            node.doc_string = ""


def write_onnx(model: onnx.ModelProto, path: Path) -> None:
    """Check a model and write it as one file, without a trace of where it was made."""
    anonymous(model)
    onnx.checker.check_model(model, full_check=True)
    with written_aside(path) as aside:
        onnx.save(model, aside)


def write_export(model: onnx.ModelProto, contract: ModelContract, path: Path) -> None:
    """Write a sealed model, and its card beside it (`path` with .md).

    Raises:
        ContractError: if no program could read the contract, before anything is written.
    """
    ModelContract.from_json(contract.to_json())
    write_onnx(model, path)
    with written_aside(path.with_suffix(".md")) as aside:
        aside.write_text(model_card(contract, receipt.sha256(path)), encoding="utf-8")
