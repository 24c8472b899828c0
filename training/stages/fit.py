"""`ius-train fit`: plan, preprocess and train one fold with nnU-Net."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from training.nnunet.names import PLANS
from training.stages.settings import settings_of

if TYPE_CHECKING:
    from training.cohort.folds import Folds
    from training.nnunet.run import FitSettings

WORDS = "plan, preprocess and train one fold with nnU-Net"
DATASET_ID = 501


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("slices", type=Path, nargs="+", help="slice stores")
    one.add_argument("--work", type=Path, required=True, help="folder of nnUNet_raw, _preprocessed and _results")
    one.add_argument("--dataset-id", type=int, default=DATASET_ID, help="nnU-Net's number (default: %(default)s)")
    one.add_argument("--title", default="US", help="nnU-Net's data set title (default: %(default)s)")
    one.add_argument("--min-area", type=float, default=0.0, metavar="MM2", help="tumour slices larger than this only")
    one.add_argument("--negatives", choices=("all", "none"), default="all", help="tumour-free slices (default: all)")
    one.add_argument("--exclude", type=Path, metavar="CSV", help="cases left out, with the columns case and reason")
    one.add_argument("--folds", type=Path, metavar="JSON", help="of 'ius-train folds' (default: drawn by the seed)")
    one.add_argument("--plan", choices=tuple(PLANS), default="full", help="default: %(default)s")
    one.add_argument(
        "--variant", type=variant, default="", metavar="NAME", help="keeps another way to learn the same plan apart"
    )
    one.add_argument("--fold", type=fold, default=0, help="0 to 4, or all for training on everything (default: 0)")
    one.add_argument("--epochs", type=int, help="length of the learning-rate schedule (nnU-Net: 1000)")
    one.add_argument("--iterations", type=int, help="training batches an epoch (nnU-Net: 250)")
    one.add_argument("--val-iterations", type=int, help="validation batches an epoch (nnU-Net: 50)")
    one.add_argument("--batch-size", type=int, help="slices a batch (planned by nnU-Net)")
    one.add_argument("--patience", type=int, help="epochs without a lower validation loss before stopping (30)")
    one.add_argument("--learning-rate", type=float, metavar="RATE", help="at the first epoch (nnU-Net: 0.01)")
    one.add_argument("--slice-dice", action="store_true", help="Dice of every slice for itself, for small tumours")
    one.add_argument("--tumour-free", type=share, metavar="SHARE", help="of tumour-free slices among those drawn")
    one.add_argument("--start", type=Path, metavar="ONNX", help="start from an exported model of the same network")
    one.add_argument("--device", default="cpu", help="cpu, cuda or mps (default: %(default)s)")
    one.add_argument("--gpus", type=int, default=1, metavar="N", help="with --device cuda: GPUs of one training")
    one.add_argument("--estimate", action="store_true", help="only say how long it would take, from a few batches")
    one.add_argument(
        "--bfloat16", action="store_true", help="train in bfloat16 where the processor has it: twice as fast"
    )
    one.add_argument("--workers", type=int, default=1, help="processes that augment (default: %(default)s)")
    one.add_argument("--jobs", type=int, default=2, help="processes that preprocess (default: %(default)s)")
    one.add_argument("--seed", type=int, default=0, help="of the folds and the training (default: %(default)s)")


def fold(text: str) -> int | Literal["all"]:
    """A fold's number, or `all`: nnU-Net's training without folds."""
    if text not in ("0", "1", "2", "3", "4", "all"):
        raise argparse.ArgumentTypeError("choose 0, 1, 2, 3, 4 or all")
    return "all" if text == "all" else int(text)


def variant(text: str) -> str:
    """A name that nnU-Net's folders can hold: it parts theirs at a double underscore."""
    if text and ("__" in text or Path(text).name != text):
        raise argparse.ArgumentTypeError("choose a plain name, without / and __")
    return text


def share(text: str) -> float:
    """A share from 0 to below 1."""
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError("choose from 0 to below 1")
    return value


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.io.receipt import write_receipt
    from training.nnunet.dataset import Choice, write_dataset
    from training.nnunet.estimate import estimate
    from training.nnunet.exclusions import read_exclusions
    from training.nnunet.names import dataset_name
    from training.nnunet.run import FitSettings

    dataset = dataset_name(arguments.dataset_id, arguments.title)
    raw = arguments.work / "nnUNet_raw" / dataset
    excluded = read_exclusions(arguments.exclude) if arguments.exclude else {}
    choice = Choice(arguments.min_area, arguments.negatives == "all", excluded)
    write_dataset(arguments.slices, raw, choice, _folds(arguments))
    settings = FitSettings(**{one.name: getattr(arguments, one.name) for one in fields(FitSettings)})
    if arguments.estimate:
        print(estimate(arguments.work, dataset, settings))
        return
    folder = _fit(arguments, dataset, settings)
    inputs = [raw / "dataset.json", raw / "splits_final.json", folder.parent / "plans.json"]
    write_receipt(folder, "fit", settings_of(arguments) | {"excluded": excluded}, inputs, arguments.seed)
    print(folder.parent)


def _fit(arguments: argparse.Namespace, dataset: str, settings: "FitSettings") -> Path:
    """On one device, or on several GPUs."""
    from training.nnunet.ddp import fit_parallel
    from training.nnunet.run import fit

    if arguments.gpus > 1:
        return fit_parallel(arguments.work, dataset, settings, arguments.gpus)
    return fit(arguments.work, dataset, settings)


def _folds(arguments: argparse.Namespace) -> "Folds":
    """Those of the file, or drawn over all patients of the stores."""
    from training.cohort.folds import draw_folds, read_folds
    from training.slicing.slices import read_slices

    if arguments.folds is not None:
        return read_folds(arguments.folds)
    return draw_folds((row.patient for store in arguments.slices for row in read_slices(store)), arguments.seed)
