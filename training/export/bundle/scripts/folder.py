"""The slices in a folder."""

from pathlib import Path

from inference.errors import NotFoundError


def slices_in(folder: str) -> list[str]:
    """The NIfTI files in a folder, by name.

    Raises:
        NotFoundError: if there are none, of which MONAI would say nothing.
    """
    files = sorted(str(path) for path in Path(folder).glob("*") if path.name.endswith((".nii", ".nii.gz")))
    if not files:
        raise NotFoundError(f"There is no .nii or .nii.gz in {folder}: name the folder of the slices.")
    return files
