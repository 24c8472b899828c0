"""`ius-train fit`: plan, preprocess and train one fold with nnU-Net."""

import argparse
from pathlib import Path

from training.stages.settings import settings_of

WORDS = "plan, preprocess and train one fold with nnU-Net"
DATASET_ID = 501


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("slices", type=Path, help="slice store")
    one.add_argument("--work", type=Path, required=True, help="folder of nnUNet_raw, _preprocessed and _results")
    one.add_argument("--dataset-id", type=int, default=DATASET_ID, help="nnU-Net's number (default: %(default)s)")
    one.add_argument("--title", default="US", help="nnU-Net's data set title (default: %(default)s)")
    one.add_argument("--min-area", type=float, default=0.0, metavar="MM2", help="tumour slices larger than this only")
    one.add_argument("--plan", choices=("full", "realtime"), default="full", help="default: %(default)s")
    one.add_argument("--fold", type=int, choices=range(5), default=0, help="default: %(default)s")
    one.add_argument("--epochs", type=int, help="length of the learning-rate schedule (nnU-Net: 1000)")
    one.add_argument("--iterations", type=int, help="training batches an epoch (nnU-Net: 250)")
    one.add_argument("--val-iterations", type=int, help="validation batches an epoch (nnU-Net: 50)")
    one.add_argument("--batch-size", type=int, help="slices a batch (planned by nnU-Net)")
    one.add_argument("--patience", type=int, help="epochs without a lower validation loss before stopping (30)")
    one.add_argument("--device", default="cpu", help="cpu, cuda or mps (default: %(default)s)")
    one.add_argument("--bfloat16", action="store_true", help="train in bfloat16: twice as fast on recent CPUs")
    one.add_argument("--workers", type=int, default=1, help="processes that augment (default: %(default)s)")
    one.add_argument("--jobs", type=int, default=2, help="processes that preprocess (default: %(default)s)")
    one.add_argument("--seed", type=int, default=0, help="of the folds and the training (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.nnunet.dataset import dataset_name, write_dataset
    from training.nnunet.run import FitSettings, fit
    from training.receipt import write_receipt
    from training.slices import read_slices

    dataset = dataset_name(arguments.dataset_id, arguments.title)
    raw = arguments.work / "nnUNet_raw" / dataset
    rows = read_slices(arguments.slices)
    write_dataset(rows, arguments.slices, raw, min_area_mm2=arguments.min_area, seed=arguments.seed)
    names = ("plan", "fold", "epochs", "iterations", "val_iterations", "batch_size", "patience", "device")
    chosen = {name: getattr(arguments, name) for name in (*names, "bfloat16", "workers", "jobs", "seed")}
    folder = fit(arguments.work, dataset, FitSettings(**chosen))
    inputs = [raw / "dataset.json", raw / "splits_final.json", folder.parent / "plans.json"]
    write_receipt(folder, "fit", settings_of(arguments), inputs, arguments.seed)
    print(folder.parent)
