"""Which picture each mask in a folder of predictions was made of, so that none is kept or scored for another one.

`predicted.csv` holds a line for each mask that `ius-train predict` wrote: its name, its picture's content, its own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from inference.errors import FormatError
from training.io.files import gz_content
from training.slicing.slices import read_slices

LIST = "predicted.csv"


def pictures_of(stores: Sequence[Path]) -> dict[str, Path]:
    """The pictures of slice stores by name.

    Raises:
        FormatError: if two stores hold different pictures of one name.
        NotFoundError: if a picture is missing.
    """
    images: dict[str, Path] = {}
    for store in stores:
        for row in read_slices(store):
            image = row.image(store)
            other = images.setdefault(row.name, image)
            if other != image and gz_content(other) != gz_content(image):
                raise FormatError(f"{store} and another store hold a slice named {row.name}: name their cases apart.")
    return images


def unpredicted(images: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """The pictures that have no mask in the folder, or one that is not known to be of this very picture."""
    listed = _read(folder)
    return {name: image for name, image in images.items() if not _is_of(name, image, folder, listed)}


def add(name: str, image: Path, folder: Path) -> None:
    """List a mask that was just written."""
    with (folder / LIST).open("a", encoding="utf-8") as stream:
        # Each line begins with its line break, so that one cut off by a kill does not spoil the next.
        stream.write(f"\n{name},{gz_content(image)},{gz_content(_mask(name, folder))}")


def check(store: Path, folder: Path) -> None:
    """Refuse masks that were made of other pictures than the store's, or changed since; without a list none is known.

    Raises:
        FormatError: naming the first.
        NotFoundError: if a picture or its mask is missing.
    """
    if not (folder / LIST).is_file():
        return
    listed = _read(folder)
    for name, image in pictures_of([store]).items():
        mask = _mask(name, folder)
        if not mask.is_file():
            continue  # scoring says what to do about a mask that is missing
        of, then = listed.get(name, ("", ""))
        if then != gz_content(mask):
            raise FormatError(
                f"{mask} is not what 'ius-train predict' wrote there: keep masks that were changed, or made elsewhere, "
                "in a folder of their own, and predict into another."
            )
        if of != gz_content(image):
            raise FormatError(
                f"{mask} was predicted from another picture than {image}: the slices were cut anew since, so "
                "run 'ius-train predict' on them again."
            )


def _is_of(name: str, image: Path, folder: Path, listed: Mapping[str, tuple[str, str]]) -> bool:
    mask = _mask(name, folder)
    return name in listed and mask.is_file() and listed[name] == (gz_content(image), gz_content(mask))


def _read(folder: Path) -> dict[str, tuple[str, str]]:
    """Name -> content of the picture and of the mask; of several lines the last one holds."""
    path = folder / LIST
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    cells = [line.rsplit(",", 2) for line in lines]
    return {line[0]: (line[1], line[2]) for line in cells if len(line) == 3}


def _mask(name: str, folder: Path) -> Path:
    return folder / f"{name}.nii.gz"
