"""The post-processing that nnU-Net's cross-validation chose: nothing, or keeping the largest component.

nnU-Net stores it as a pickle of functions (postprocessing.pkl), which we never open, and as JSON, which we read.
"""

from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelError
from training.nnunet.results.files import ModelFiles, read_json

Postprocessing = Literal["none", "largest"]

_KEEP_LARGEST = "remove_all_but_largest_component_from_segmentation"
_TUMOUR: list[Any] = [1, "1", [1], ["1"], [[1]]]
"""The ways in which nnU-Net writes the one label."""


def keeps_largest(files: ModelFiles, choice: Postprocessing | None) -> bool:
    """Whether only the largest component of a mask is kept.

    Args:
        files: the model.
        choice: the user's statement; None reads the model's own JSON, and if there is no file, nothing was chosen.

    Raises:
        ModelError: if the user states nothing and there is only the pickle, files disagree, or they name another step.
    """
    if choice is not None:
        return choice == "largest"
    found = _files(files)
    twins = sorted({name.with_suffix(".json") for name in found})
    missing = [twin.with_suffix(".pkl") for twin in twins if twin not in found]
    if missing:
        raise ModelError(
            f"{files.results.path / missing[0]} is a pickle, which could run code and is not opened, and its .json is "
            "not there: say with --postprocessing none or largest what it holds."
        )
    answers = {_answer(files, twin) for twin in twins}
    if len(answers) > 1:
        names = ", ".join(map(str, twins))
        raise ModelError(f"{files.results.path} disagrees with itself ({names}): choose with --postprocessing.")
    return True in answers


def largest_component(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the largest component of a mask (rows, cols) 0/1, as nnU-Net itself does."""
    from nnunetv2.postprocessing.remove_connected_components import remove_all_but_largest_component_from_segmentation

    kept: NDArray[np.uint8] = remove_all_but_largest_component_from_segmentation(mask[None], [1])[0]
    return kept


def _files(files: ModelFiles) -> set[PurePosixPath]:
    """Where nnU-Net and its users put it: in the folders of the data set, the model and its cross-validation."""
    home = files.home
    names = {name for name in files.results.names if name.stem == "postprocessing"}
    beside = {name for name in names if name.parent in (home, home.parent)}
    return beside | {name for name in names if name.match("crossval_results_*/*") and name.parent.parent == home}


def _answer(files: ModelFiles, name: PurePosixPath) -> bool:
    """Read one postprocessing.json, which lists nnU-Net's functions and their arguments.

    Raises:
        ModelError: if it holds any other step than keeping the largest component of the one label.
    """
    value = read_json(files.results, name)
    functions, arguments = value.get("postprocessing_fns"), value.get("postprocessing_kwargs")
    if functions == []:
        return False
    if functions == [_KEEP_LARGEST] and isinstance(arguments, list) and len(arguments) == 1:
        kept = arguments[0]
        if isinstance(kept, dict) and kept.get("labels_or_regions") in _TUMOUR and not kept.get("background_label"):
            return True
    raise ModelError(
        f"{files.results.path / name} names a step that is not reproduced here ({functions}): choose with "
        "--postprocessing none or largest."
    )
