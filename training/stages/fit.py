"""`ius-train fit`: plan, preprocess and train one fold with nnU-Net."""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from training.nnunet.names import STARTED
from training.nnunet.settings import FitSettings, Setting, all_settings
from training.stages.numbers import within
from training.stages.settings import settings_of

if TYPE_CHECKING:
    from training.cohort.folds import Folds

WORDS = "plan, preprocess and train one fold with nnU-Net"
DATASET_ID = 501


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the slices, and one for every setting in `FitSettings`."""
    one.add_argument("slices", type=Path, nargs="+", help="slice stores")
    one.add_argument("--work", type=Path, required=True, help="folder of nnUNet_raw, _preprocessed and _results")
    one.add_argument(
        "--dataset-id", type=within(1, 999), default=DATASET_ID, help="nnU-Net's number (default: %(default)s)"
    )
    one.add_argument("--title", type=variant, default="US", help="nnU-Net's data set title (default: %(default)s)")
    one.add_argument(
        "--min-area", type=within(0.0), default=0.0, metavar="MM2", help="tumour slices larger than this only"
    )
    one.add_argument("--negatives", choices=("all", "none"), default="all", help="tumour-free slices (default: all)")
    one.add_argument("--exclude", type=Path, metavar="CSV", help="cases left out, with the columns case and reason")
    one.add_argument("--folds", type=Path, metavar="JSON", help="of 'ius-train folds' (default: drawn alike)")
    one.add_argument("--estimate", action="store_true", help="only say how long it would take, from a few batches")
    for name, setting in all_settings().items():
        _add_setting(one, name, setting)
    same = "the same as --loss slice-dice"
    one.add_argument("--slice-dice", dest="loss", action="store_const", const="slice-dice", help=same)


def _add_setting(one: argparse.ArgumentParser, name: str, setting: Setting) -> None:
    """Add the option for one setting, with the setting's words, type and limits."""
    option, default = f"--{name.replace('_', '-')}", setting.default
    if default is False:
        one.add_argument(option, action="store_true", help=setting.words)
        return
    words = setting.words if default in (None, "") else f"{setting.words} (default: %(default)s)"
    if setting.choices:
        one.add_argument(option, choices=setting.choices, default=default, help=words)
        return
    typed = _TYPES.get(name, partial(_typed, setting.type))
    one.add_argument(option, type=typed, default=default, metavar=setting.metavar, help=words)


def _typed(wanted: Any, text: str) -> Any:  # noqa: ANN401 - any setting's type
    """Parse a setting's value and check its limits."""
    try:
        return msgspec.convert(text, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise argparse.ArgumentTypeError(f"{text!r} will not do: {error}") from error


def fold(text: str) -> int | Literal["all"]:
    """Parse a fold's number, or `all` for nnU-Net's training without folds."""
    if text not in ("0", "1", "2", "3", "4", "all"):
        raise argparse.ArgumentTypeError("choose 0, 1, 2, 3, 4 or all")
    return "all" if text == "all" else int(text)


def variant(text: str) -> str:
    """Parse a name for nnU-Net's folders; nnU-Net splits folder names at a double underscore."""
    if text and ("__" in text or Path(text).name != text):
        raise argparse.ArgumentTypeError("choose a plain name, without / and __")
    return text


_TYPES: dict[str, Callable[[str], Any]] = {"fold": fold, "variant": variant}
"""Settings with a parser of their own."""


def run(arguments: argparse.Namespace) -> None:
    """Write the data set, train the fold on it, and write a receipt."""
    from training.cohort.folds import check_split
    from training.io.receipt import seen_from, write_receipt
    from training.nnunet.claims import data_lock, data_of
    from training.nnunet.dataset import Choice, train_patients, write_dataset
    from training.nnunet.estimate import estimate
    from training.nnunet.exclusions import check_exclusions, read_exclusions
    from training.nnunet.names import dataset_name
    from training.nnunet.results.forebears import entry
    from training.nnunet.results.trained_on import PATIENTS, START_KNOWN, START_STORES, behind

    dataset = dataset_name(arguments.dataset_id, arguments.title)
    raw = arguments.work / "nnUNet_raw" / dataset
    excluded = read_exclusions(arguments.exclude) if arguments.exclude else {}
    if arguments.exclude:
        check_exclusions(excluded, arguments.slices, arguments.exclude)
    choice = Choice(arguments.min_area, arguments.negatives == "all", excluded)
    folds = _folds(arguments)
    with data_lock(raw):
        splits = write_dataset(arguments.slices, raw, choice, folds)
        data = data_of(raw)
    settings = FitSettings(**{name: getattr(arguments, name) for name in all_settings()})
    if settings.fold != "all":
        check_split(splits[settings.fold], settings.fold)
    if arguments.estimate:
        print(estimate(arguments.work, dataset, settings))
        return
    start = None if settings.start is None else behind(Path(settings.start))  # before hours in which it may be moved
    folder = _fit(arguments.work, dataset, settings, data)
    inputs = [raw / "dataset.json", raw / "splits_final.json", folder.parent / "plans.json"]
    patients = set(train_patients(arguments.slices, splits, settings.fold))
    told: dict[str, Any] = {"excluded": excluded}
    if start is not None:
        patients |= start.patients
        seen = [Path(seen_from(store, Path())) for store in (*start.stores, *start.start_stores, *start.gone)]
        told |= {START_KNOWN: start.complete, START_STORES: seen} | entry(start.forebears)
    told |= {PATIENTS: sorted(patients)} | _started(folder) | _resumed(folder)
    write_receipt(folder, "fit", settings_of(arguments) | told, inputs, arguments.seed)
    print(folder.parent)


def _started(folder: Path) -> dict[str, Any]:
    """What the training started from, if that was a checkpoint of torch's."""
    file = folder / STARTED
    return {"started": json.loads(file.read_text(encoding="utf-8"))} if file.is_file() else {}


def _resumed(folder: Path) -> dict[str, Any]:
    """The settings of every start, if a training that was stopped went on with others."""
    from training.nnunet.course import course

    starts = course(folder)
    return {"course": starts} if len(starts) > 1 else {}


def _fit(work: Path, dataset: str, settings: FitSettings, data: str) -> Path:
    """Train on one device, or on several GPUs."""
    from training.nnunet.ddp import fit_parallel
    from training.nnunet.run import fit

    return fit_parallel(work, dataset, settings, data) if settings.gpus > 1 else fit(work, dataset, settings, data)


def _folds(arguments: argparse.Namespace) -> "Folds":
    """The folds from the file, or drawn as 'ius-train folds' does; both are checked for twins."""
    from training.cohort.folds import read_folds
    from training.slicing.store_folds import check_stores, draw_store_folds

    if arguments.folds is None:
        return draw_store_folds(arguments.slices, arguments.seed)
    check_stores(arguments.slices)
    return read_folds(arguments.folds)
