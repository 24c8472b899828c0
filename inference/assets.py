"""Locates the files that come with the program: demonstration model and clip, notices, manual."""

from pathlib import Path

from inference.errors import NotFoundError

_HERE = Path(__file__).resolve().parent
_PACKED = _HERE / "bundled"
"""The folder in the wheel and the bundle for the files that a checkout has at its root."""
ASSETS = _PACKED if _PACKED.is_dir() else _HERE.parent / "assets"


def demo_model_path() -> Path:
    """The bundled demonstration model, trained on simulated patients.

    Raises:
        NotFoundError: if this installation has none.
    """
    return _existing(ASSETS / "models" / "demo.onnx")


def bundled_model() -> Path | None:
    """The bundled model, or None if this installation has none."""
    path = ASSETS / "models" / "demo.onnx"
    return path if path.is_file() else None


def demo_clip_path() -> Path:
    """The bundled clip, a simulated native 2D sweep as multi-frame DICOM.

    Raises:
        NotFoundError: if this installation has none.
    """
    return _existing(ASSETS / "clips" / "demo.dcm")


def glyphs_path() -> Path:
    """The picture of letters and digits by which a scanner's texts are read.

    Raises:
        NotFoundError: if this installation has none.
    """
    return _existing(ASSETS / "glyphs.png")


def manual_folder() -> Path:
    """The folder with the pages of the manual, Markdown.

    Raises:
        NotFoundError: if this installation has none.
    """
    folder = _PACKED / "manual" if _PACKED.is_dir() else _HERE.parent / "docs"
    _existing(folder / "index.md")
    return folder


def licence_path() -> Path:
    """The text of the program's licence.

    Raises:
        NotFoundError: if this installation has none.
    """
    return _existing((_PACKED if _PACKED.is_dir() else _HERE.parent) / "LICENSE")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise NotFoundError(
            f"This installation lacks {path.name}: install the program again, or name a file of your own."
        )
    return path
