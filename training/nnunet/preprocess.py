"""nnU-Net's preprocessing of each slice, by workers that are told of the data set once.

nnU-Net's own loop sends the whole data set's list to its workers with every slice, and looks at every slice that is
left ten times a second: with thousands of slices most of the time goes into that.
"""

import json
import multiprocessing
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from training.io.progress import Bar
from training.nnunet.names import CONFIGURATION

_CHUNK = 8
"""Slices that a worker is given at once."""
_Slice = tuple[str, Mapping[str, Any]]
"""Name and files."""
_told: dict[str, Any] = {}
"""In a worker: what it was told when it began."""


def preprocess(raw: Path, preprocessed: Path, plans: Mapping[str, Any], jobs: int) -> None:
    """Preprocess every slice of a data set into the folder that its plans name; what lies there is removed first.

    Args:
        raw: the data set's folder in `nnUNet_raw`.
        preprocessed: its folder in `nnUNet_preprocessed`, which nnU-Net's planning has filled.
        plans: its plans.
        jobs: worker processes.
    """
    from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

    dataset = json.loads((preprocessed / "dataset.json").read_text(encoding="utf-8"))
    files = get_filenames_of_train_images_and_targets(str(raw), dataset)
    out = preprocessed / plans["configurations"][CONFIGURATION]["data_identifier"]
    if out.is_dir():
        shutil.rmtree(out)
    out.mkdir()
    facts = {key: value for key, value in dataset.items() if key != "dataset"}
    with Bar(desc="preprocess", total=len(files), unit="slice") as bar:
        for _ in _each(files.items(), (plans, facts, out), jobs):
            bar.update()


def _each(slices: Iterable[_Slice], told: tuple[Any, ...], jobs: int) -> Iterator[None]:
    """Preprocess slices in this process, or in `jobs` of them."""
    if jobs == 1:
        _begin(*told)
        yield from map(_save, slices)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=told) as pool:
        yield from pool.map(_save, slices, chunksize=_CHUNK)


def _begin(plans: Mapping[str, Any], facts: Mapping[str, Any], out: Path) -> None:
    """Make this worker's preprocessor, as nnU-Net's own workers are given it."""
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    manager = PlansManager(dict(plans))
    configuration = manager.get_configuration(CONFIGURATION)
    preprocessor = configuration.preprocessor_class(verbose=False)

    def save(name: str, images: list[str], label: str) -> None:
        preprocessor.run_case_save(str(out / name), images, label, manager, configuration, dict(facts))

    _told["save"] = save


def _save(one: _Slice) -> None:
    """Preprocess one slice in a worker."""
    name, files = one
    _told["save"](name, files["images"], files["label"])
