"""Where the bundled demonstration model and clip are."""

from pathlib import Path

from inference.errors import NotFoundError

ASSETS = Path(__file__).resolve().parent.parent / "assets"


def demo_model_path() -> Path:
    """The bundled demonstration model, trained on simulated patients.

    Raises:
        NotFoundError: if this installation has none.
    """
    return _existing(ASSETS / "models" / "demo.onnx")


def demo_clip_path() -> Path:
    """The bundled clip, a simulated native 2D sweep as multi-frame DICOM.

    Raises:
        NotFoundError: if this installation has none.
    """
    return _existing(ASSETS / "clips" / "demo.dcm")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise NotFoundError(
            f"This installation lacks {path.name}: make it with `make demo-model`, or name a file of your own."
        )
    return path
