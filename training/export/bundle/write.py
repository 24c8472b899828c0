"""Writes the folder of a MONAI Bundle: model, configuration, what MONAI runs, card and licence."""

import ast
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

import inference
from inference.assets import licence_path
from inference.contract import ModelContract
from inference.errors import ModelError, OutputError
from inference.files import make_folder
from inference.model.engine import Engine
from training.export.bundle.metadata import metadata
from training.export.bundle.weights import configuration, weights_of
from training.export.card import model_card
from training.export.onnx_file import read_again
from training.nnunet.results.checkpoint import Trained

_HERE = Path(__file__).parent
_SCRIPTS = _HERE / "scripts"
_ENGINE = Path(inference.__file__).parent.parent
"""The folder in which `inference` stands."""


def write_bundle(model: Path, out: Path, trained: Trained | None = None) -> None:
    """Write an exported model as a bundle, whole or not at all.

    Args:
        model: an .onnx with its contract, which has to pass its self-test here.
        out: the folder; it must not be there yet, and its name is the bundle's.
        trained: what the model was exported from, whose PyTorch weights go along; None if it is not at hand.

    Raises:
        ModelError: if the model cannot be used, or `trained` is not what it was exported from.
        OutputError: if the folder is there, or cannot be made.
    """
    with _folder(out) as aside:
        engine = Engine.load(model)
        contract = engine.contract
        for name in ("configs", "models", "docs"):
            (aside / name).mkdir()
        (aside / "models/model.onnx").write_bytes(read_again(model, engine.sha256))
        shutil.copyfile(_HERE / "inference.json", aside / "configs/inference.json")
        _write_json(metadata(contract), aside / "configs/metadata.json")
        labels = ", ".join(f"{value} {name}" for name, value in contract.output.labels.items())
        if trained is not None:
            _check_same(trained, contract, model)
            _write_json(configuration(trained), aside / "configs/weights.json")
            torch.save(weights_of(trained), aside / "models/model.pt")
        run = (_HERE / "readme.md").read_text("utf-8")
        run += "" if trained is None else (_HERE / "weights.md").read_text("utf-8")
        readme = model_card(contract, engine.sha256) + "\n" + run.format(name=out.name, labels=labels)
        (aside / "docs/README.md").write_text(readme, "utf-8")
        (aside / "LICENSE").write_text(_licence(contract.identity.licence), "utf-8")
        for file in scripts():
            inside = file.relative_to(_ENGINE) if file.is_relative_to(_ENGINE / "inference") else file.name
            target = aside / "scripts" / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def _check_same(trained: Trained, contract: ModelContract, model: Path) -> None:
    """Refuse weights that are not those of the model.

    Raises:
        ModelError: if they are not.
    """
    if trained.checkpoints != contract.provenance.checkpoint_sha256:
        raise ModelError(
            f"{trained.folder} does not hold the weights that {model.name} was exported from: give --folds and "
            "--checkpoint as at its export."
        )


def _write_json(content: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=4) + "\n", "utf-8")


def scripts() -> list[Path]:
    """What MONAI runs, and every file of the engine that it imports, directly or through another."""
    left, found = [*_SCRIPTS.glob("*.py"), _HERE.parent / "folds.py"], dict[Path, None]()
    while left:
        file = left.pop()
        if file not in found:
            found[file] = None
            left += _imported(file)
    return sorted(found)


def _imported(file: Path) -> Iterator[Path]:
    """The engine's files that a file names in its imports; of a package also its `__init__.py`."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "inference":
            for name in ("", *(f".{one.name}" for one in node.names)):
                yield from _files(f"{node.module}{name}")


def _files(module: str) -> Iterator[Path]:
    """A module's file with the packages above it; none if there is no such module."""
    path = _ENGINE.joinpath(*module.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file():
        yield path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        yield from (above / "__init__.py" for above in path.parents if above.is_relative_to(_ENGINE / "inference"))


def _licence(model: str) -> str:
    """What model and code may be used for."""
    text = licence_path().read_text("utf-8")
    return f"models/: {model}\nscripts/ and configs/: Apache-2.0, whose text follows.\n\n{text}"


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """Give a folder beside `out`, renamed to it when the block ends well and removed when it does not.

    Raises:
        OutputError: if `out` is there, or cannot be made.
    """
    taken = OutputError(f"{out} is there already: give the bundle another name, or remove that.")
    if out.exists():
        raise taken
    aside = make_folder(out.with_name(f".aside-{secrets.token_hex(4)}-{out.name}"))
    try:
        yield aside
        try:
            aside.rename(out)
        except OSError as error:
            raise (taken if out.exists() else error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
