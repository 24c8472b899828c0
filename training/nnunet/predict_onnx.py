"""Predicts slice stores with an exported model and the viewer's own engine, so the masks are those on the screen."""

from collections.abc import Callable, Sequence
from pathlib import Path

from inference.contract import Mode
from inference.model.engine import Engine
from inference.model.providers import BFLOAT16
from inference.model.segmentation import labels_of
from training.io.progress import Bar
from training.nnunet.claims import claim
from training.nnunet.predicted import add, pictures_of, unpredicted
from training.slicing.slices import read_slice, read_slices, write_slice


def predict_exported(
    model: Path,
    stores: Sequence[Path],
    out: Path,
    mode: Mode = Mode.FAST,
    begun: Callable[[Engine], None] = lambda _: None,
) -> Engine:
    """Predict every single slice of the stores into `out/NAME.nii.gz`; masks of the same pictures are kept.

    Args:
        model: .onnx with its contract.
        stores: slice stores.
        out: folder for the masks, on the slices' own grids.
        mode: one pass, or the mean over the mirrors that the contract allows.
        begun: called with the engine once the folder is known to be this model's, before its first mask.

    Returns:
        The engine that answered: its contract says whether only the largest region was kept, and names its checkpoints.

    Raises:
        ModelError: if the model does not run here or does not reproduce its own masks.
        NotFoundError: if there is no such store.
        FormatError: if `out` holds other predictions, or two stores hold different slices of one name.
        AnalysisError: if a slice cannot be analysed.
    """
    images = pictures_of(stores)
    engine = Engine.load(model, trial=True)
    output = engine.contract.output
    # Another computer runs such a file in float32.
    where = [engine.provider] if engine.contract.provenance.precision == BFLOAT16 else []
    claim(out / "made.from", "\n".join((engine.sha256, mode, *where)), "model's predictions")
    begun(engine)
    missing = unpredicted(images, out)
    rows = {row.name: row for store in stores for row in read_slices(store)}
    for name, image in Bar(missing.items(), desc="predict", unit="slice"):
        spacing = (rows[name].row_mm, rows[name].col_mm)
        segmented = engine.segment(read_slice(image), spacing, mode)
        labels = labels_of(segmented.margin, keep_largest=output.keep_largest, cavity=output.cavity_index is not None)
        write_slice(labels, spacing, out / f"{name}.nii.gz")
        add(name, image, out)
    return engine
