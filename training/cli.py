"""`ius-train`: the offline pipeline, one subcommand a stage; each resumes and leaves a receipt."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from inference.errors import IusError

DATASET_ID = 501


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage.

    Returns:
        0 if all went well; 2 after one sentence on stderr if the input was wrong.
    """
    arguments = parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except IusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="ius-train", description="How the model came to be. Research use only.")
    stages = top.add_subparsers(required=True, metavar="STAGE")

    def stage(name: str, run: Callable[[argparse.Namespace], None], words: str) -> argparse.ArgumentParser:
        one = stages.add_parser(name, help=words, description=words)
        one.set_defaults(run=run)
        return one

    _add_simulate(stage("simulate", _simulate, "write a cohort of simulated patients in the published layouts"))
    _add_cases(stage("cases", _cases, "find the cases of data sets on disk and write their table"))
    _add_landmarks(stage("landmarks", _landmarks, "target registration error from .tag files"))
    _add_register(stage("register", _register, "register MRI to ultrasound and transfer its tumour masks"))
    _add_slice(stage("slice", _slice, "cut volumes and sweeps into 2D slices"))
    _add_fit(stage("fit", _fit, "plan, preprocess and train one fold with nnU-Net"))
    _add_predict(stage("predict", _predict, "predict a slice store with a trained fold"))
    _add_evaluate(stage("evaluate", _evaluate, "score predictions against the store's masks"))
    _add_export(stage("export", _export, "write a model folder as one .onnx file with its contract"))
    _add_demo(stage("demo", _demo, "the demonstration model and clip, from nothing: every stage in its order"))
    return top


def _add_simulate(one: argparse.ArgumentParser) -> None:
    one.add_argument("--patients", type=int, default=30, help="how many (default: %(default)s)")
    one.add_argument("--out", type=Path, required=True, help="folder of the cohort")
    one.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    one.add_argument("--cohort", choices=("train", "sealed"), default="train", help="default: %(default)s")
    one.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    one.add_argument("--small", action="store_true", help="tiny volumes, for a trial run")


def _simulate(arguments: argparse.Namespace) -> None:
    from training.simulation.cohort import simulate_cohort

    simulate_cohort(
        out=arguments.out,
        patients=arguments.patients,
        seed=arguments.seed,
        cohort=arguments.cohort,
        jobs=arguments.jobs,
        small=arguments.small,
    )


def _add_cases(one: argparse.ArgumentParser) -> None:
    one.add_argument("--resect", type=Path, required=True, help="folder with NIFTI/CaseN/US")
    one.add_argument("--resect-seg", type=Path, required=True, help="folder with CaseN/CaseN-US-before-tumor.nii.gz")
    one.add_argument("--sweeps", type=Path, help="folder with CaseN/CaseN-sweep.dcm (simulated cohorts)")
    one.add_argument("--out", type=Path, required=True, help="the case table (CSV)")


def _cases(arguments: argparse.Namespace) -> None:
    from training.cases import write_cases
    from training.datasets.resect import find_cases

    cases = find_cases(arguments.resect, arguments.resect_seg, arguments.sweeps)
    write_cases(cases, arguments.out)
    excluded = sum(case.exclude for case in cases)
    print(f"{len(cases)} cases, {excluded} excluded: {arguments.out}", file=sys.stderr)


def _add_landmarks(one: argparse.ArgumentParser) -> None:
    one.add_argument("files", type=Path, nargs="+", metavar="FILE.tag", help="MNI tag files, MRI to ultrasound")
    one.add_argument(
        "--transform",
        type=Path,
        metavar="T",
        help="4×4 text (MRI to US, RAS), ITK file, or a folder of CASE.txt",
    )
    one.add_argument("--json", action="store_true", help="print JSON")


def _landmarks(arguments: argparse.Namespace) -> None:
    from training.landmarks import measure

    errors = measure(arguments.files, arguments.transform)
    print(errors.as_json() if arguments.json else errors.as_text())


def _add_register(one: argparse.ArgumentParser) -> None:
    one.add_argument("paths", type=Path, nargs="+", metavar="CASES.csv | US MRI", help="case table, or one pair")
    one.add_argument("--out", type=Path, required=True, help="folder of transforms, labels and registration.csv")
    one.add_argument(
        "--metric",
        choices=("lc2+mind", "lc2", "mind", "none"),
        default="lc2+mind",
        help="the paper's is lc2; none keeps --start (default: %(default)s)",
    )
    one.add_argument("--label", type=Path, metavar="MASK", help="one pair: tumour mask in the MRI's world")
    one.add_argument("--start", type=Path, metavar="T", help="one pair: transform to begin with (4×4 text, ITK file)")
    one.add_argument("--jobs", type=int, default=1, help="processes (default: %(default)s)")


def _register(arguments: argparse.Namespace) -> None:
    from training.registration.pairs import chosen_pairs
    from training.registration.register import register

    pairs = chosen_pairs(arguments.paths, arguments.label, arguments.start)
    rows = register(pairs, arguments.out, arguments.metric, arguments.jobs)
    failed, flagged = sum(bool(row.error) for row in rows), sum(bool(row.flags) for row in rows)
    print(f"{len(rows) - failed} registered, {flagged} flagged, {failed} failed: {arguments.out}", file=sys.stderr)


def _add_slice(one: argparse.ArgumentParser) -> None:
    one.add_argument("cases", type=Path, help="case table")
    one.add_argument("--out", type=Path, required=True, help="slice store")
    one.add_argument("--step-mm", type=float, default=0.0, help="between slices of a volume; 0 takes every one")
    one.add_argument("--every-frame", type=int, default=1, metavar="N", help="every how many frames of a sweep")
    one.add_argument("--negatives", type=int, default=0, metavar="N", help="tumour-free slices a volume, and a sweep")
    one.add_argument("--slicing", choices=("isotropic", "native"), default="isotropic", help="default: %(default)s")


def _slice(arguments: argparse.Namespace) -> None:
    from training.cases import read_cases
    from training.receipt import write_receipt
    from training.slices import Cutting, cut_cases

    cutting = Cutting(
        arguments.step_mm, arguments.every_frame, arguments.negatives, isotropic=arguments.slicing == "isotropic"
    )
    rows = cut_cases(read_cases(arguments.cases), arguments.out, cutting)
    write_receipt(arguments.out, "slice", _settings(arguments), [arguments.cases])
    free = sum(row.area_mm2 == 0 for row in rows)
    print(f"{len(rows)} slices, {free} of them tumour-free: {arguments.out}", file=sys.stderr)


def _add_fit(one: argparse.ArgumentParser) -> None:
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


def _fit(arguments: argparse.Namespace) -> None:
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
    write_receipt(folder, "fit", _settings(arguments), inputs, arguments.seed)
    print(folder.parent)


def _add_predict(one: argparse.ArgumentParser) -> None:
    one.add_argument("model", type=Path, help="model folder (plans.json, dataset.json, fold_N)")
    one.add_argument("slices", type=Path, help="slice store")
    one.add_argument("--out", type=Path, required=True, help="folder of the predicted masks")
    one.add_argument("--fold", type=int, choices=range(5), default=0, help="default: %(default)s")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument("--device", default="cpu", help="default: %(default)s")


def _predict(arguments: argparse.Namespace) -> None:
    from training.nnunet.run import predict_slices
    from training.receipt import write_receipt

    how = {"fold": arguments.fold, "checkpoint": arguments.checkpoint, "device": arguments.device}
    predict_slices(arguments.model, arguments.slices, arguments.out, **how)
    checkpoint = arguments.model / f"fold_{arguments.fold}" / f"checkpoint_{arguments.checkpoint}.pth"
    write_receipt(arguments.out, "predict", _settings(arguments), [checkpoint, arguments.slices / "slices.csv"])


def _add_evaluate(one: argparse.ArgumentParser) -> None:
    one.add_argument("predictions", type=Path, help="folder of predicted masks")
    one.add_argument("slices", type=Path, help="slice store with the true masks")
    one.add_argument("--out", type=Path, required=True, help="folder of the report")
    one.add_argument("--data", required=True, help="on which data, in words")
    one.add_argument("--simulated", action="store_true", help="the patients are simulated")
    one.add_argument("--baseline", type=Path, metavar="SLICES", help="tune a threshold on these, score it beside")


def _evaluate(arguments: argparse.Namespace) -> None:
    from training.evaluation.report import evaluate
    from training.receipt import write_receipt

    evaluate(
        arguments.predictions,
        arguments.slices,
        arguments.out,
        data=arguments.data,
        simulated=arguments.simulated,
        baseline_slices=arguments.baseline,
    )
    write_receipt(arguments.out, "evaluate", _settings(arguments), [arguments.slices / "slices.csv"])
    print((arguments.out / "report.md").read_text())


def _add_export(one: argparse.ArgumentParser) -> None:
    one.add_argument("model", type=Path, help="nnU-Net's results folder of one 2D model, or a zip of it")
    one.add_argument("--out", type=Path, required=True, help="the .onnx file")
    one.add_argument("--name", required=True, help="the model's name, as screens show it")
    one.add_argument("--folds", type=_fold, nargs="+", default=[0], help="fused as one network (default: 0)")
    one.add_argument(
        "--postprocessing", choices=("none", "largest"), help="what nnU-Net chose, where only a pickle says so"
    )
    one.add_argument("--verify", type=Path, metavar="SLICES", help="slice store for the parity check")
    one.add_argument("--evaluation", type=Path, metavar="SUMMARY", help="report/summary.json")
    one.add_argument(
        "--train", type=Path, metavar="SLICES", help="slice store of the training (default: its receipt's)"
    )
    one.add_argument("--population", type=Path, metavar="JSON", help="on whom it was trained; not needed if simulated")
    one.add_argument("--label-origin", choices=("us", "mri", "both"), help="where the labels come from")
    one.add_argument("--licence", default="Apache-2.0", help="of the model (default: %(default)s)")
    one.add_argument("--version", default="1", help="of the model (default: %(default)s)")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument("--simulated", action="store_true", help="trained on simulated patients")
    one.add_argument("--trial", action="store_true", help="accept a model that is worth nothing: a trial run's")


def _fold(text: str) -> int | Literal["all"]:
    """A fold's number, or `all`: nnU-Net's training without folds."""
    return "all" if text == "all" else int(text)


def _export(arguments: argparse.Namespace) -> None:
    from training.export.export import export_model

    export_model(
        arguments.model,
        arguments.out,
        folds=tuple(arguments.folds),
        verify=arguments.verify,
        evaluation=arguments.evaluation,
        name=arguments.name,
        version=arguments.version,
        simulated=arguments.simulated,
        train=arguments.train,
        population=arguments.population,
        label_origin=arguments.label_origin,
        licence=arguments.licence,
        checkpoint=arguments.checkpoint,
        postprocessing=arguments.postprocessing,
        trial=arguments.trial,
    )


def _add_demo(one: argparse.ArgumentParser) -> None:
    one.add_argument("--work", type=Path, required=True, help="working folder (some GB), kept for resuming")
    one.add_argument("--out", type=Path, required=True, help="folder that gets models/ and clips/")
    one.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    one.add_argument("--small", action="store_true", help="a trial run of minutes; its model is worth nothing")


def _demo(arguments: argparse.Namespace) -> None:
    from training.demo import make_demo

    make_demo(arguments.work, arguments.out, jobs=arguments.jobs, small=arguments.small, run=main)


def _settings(arguments: argparse.Namespace) -> dict[str, object]:
    """What was asked for, without the function that does it."""
    return {key: value for key, value in vars(arguments).items() if key != "run"}


if __name__ == "__main__":
    sys.exit(main())
