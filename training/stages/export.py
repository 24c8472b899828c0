"""`ius-train export`: write a model folder as one .onnx file with its contract."""

import argparse
import math
from pathlib import Path

from training.stages.certainty import put_certainty
from training.stages.fit import fold

WORDS = "write a model folder as one .onnx file with its contract"


class _Template(argparse.Action):
    """Writes the template and ends, whatever else is missing, as --version does."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, path: object, __: str | None = None) -> None:
        """Write the file."""
        from training.export.training_facts import write_template
        from training.io.ending import ended

        assert isinstance(path, Path)  # noqa: S101 - its type says so
        if code := ended(lambda: write_template(path)):
            parser.exit(code)
        parser.exit(message=f"{path}: fill it in, and give it to --population.\n")


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the model, its proof and the facts in its contract."""
    one.add_argument("model", type=Path, help="nnU-Net's results folder of one 2D model, or a zip of it")
    one.add_argument("--out", type=Path, required=True, help="the .onnx file")
    one.add_argument("--name", required=True, help="the model's name, as screens show it")
    one.add_argument("--folds", type=fold, nargs="+", default=[0], help="fused as one network (default: 0)")
    one.add_argument(
        "--postprocessing", choices=("none", "largest"), help="what nnU-Net chose, where only a pickle says so"
    )
    one.add_argument("--verify", type=Path, metavar="SLICES", help="slice store for the parity check")
    one.add_argument(
        "--evaluation", type=Path, nargs="+", default=[], metavar="SUMMARY", help="report/summary.json, one a mode"
    )
    one.add_argument(
        "--certainty",
        type=Path,
        nargs="+",
        default=[],
        metavar="SLICES",
        help="stores of patients that it was not trained on: what 'ius-train certainty' measures goes into the file, "
        "in every mode the model has",
    )
    one.add_argument("--certainty-data", metavar="WORDS", help="which slices these are, in words: screens quote it")
    one.add_argument(
        "--train",
        type=Path,
        nargs="+",
        default=[],
        metavar="SLICES",
        help="slice stores of the training (default: its receipt's)",
    )
    one.add_argument(
        "--population",
        metavar="JSON",
        help="on whom it was trained: a file, or MRI_200, US_200 or MRI+US_200 of the paper; not needed if simulated",
    )
    one.add_argument(
        "--population-template",
        action=_Template,
        type=Path,
        metavar="FILE",
        help="write one to fill in, and end",
    )
    one.add_argument(
        "--label-origin",
        choices=("us", "mri", "both"),
        help="where the labels come from (default: as the training's slices say)",
    )
    one.add_argument("--licence", default="Apache-2.0", help="of the model (default: %(default)s)")
    one.add_argument("--version", default="1", help="of the model (default: %(default)s)")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument("--simulated", action="store_true", help="trained on simulated patients")
    fewer = one.add_mutually_exclusive_group()
    fewer.add_argument(
        "--precision",
        choices=("float32", "float16", "int8", "bfloat16"),
        default="float32",
        help="fewer bits only if the masks stay the same: float16 for GPUs, int8 for CPUs, bfloat16 for CPUs that have "
        "it, by OpenVINO, while others run the file in float32 (default: %(default)s)",
    )
    for short, precision in (("--fp16", "float16"), ("--int8", "int8")):
        fewer.add_argument(short, dest="precision", action="store_const", const=precision, help=f"in {precision}")
    one.add_argument(
        "--spacing",
        type=spacing,
        metavar="ROW,COL",
        help="mm of a pixel of the training's pictures, where those state no scale: PNG, JPEG, TIFF",
    )
    one.add_argument("--trial", action="store_true", help="accept a model that is worth nothing: a trial run's")


def spacing(text: str) -> tuple[float, float]:
    """Parse ROW,COL in mm."""
    row_mm, col_mm = (float(value) for value in text.split(","))
    if not (0 < row_mm < math.inf and 0 < col_mm < math.inf):
        raise ValueError(text)
    return row_mm, col_mm


def run(arguments: argparse.Namespace) -> None:
    """Export the model."""
    from training.export.export import export_model
    from training.export.precision import Precision

    _check_certainty(arguments)
    _check_population(arguments)
    contract = export_model(
        arguments.model,
        arguments.out,
        folds=tuple(arguments.folds),
        verify=arguments.verify,
        evaluation=arguments.evaluation,
        precision=Precision(arguments.precision),
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
        spacing_mm=arguments.spacing,
    )
    if arguments.certainty:
        put_certainty(
            arguments.out,
            arguments.certainty,
            arguments.out,
            arguments.out.with_name(f"{arguments.out.stem}-certainty"),
            data=arguments.certainty_data,
            simulated=arguments.simulated,
            trained_on=arguments.train,
            modes=("fast", "thorough") if contract.output.mirror_axes else ("fast",),
        )


def _check_population(arguments: argparse.Namespace) -> None:
    """Refuse to call a model of simulated patients one of real patients, or the other way round.

    Raises:
        PopulationError: if the case tables behind its training say otherwise.
    """
    from training.evaluation.population import PopulationError, told_of
    from training.export.training_facts import read_population
    from training.nnunet.results.trained_on import trained_on
    from training.slicing.slices import HALF_KNOWN, read_slices

    known = trained_on(arguments.model, arguments.folds)
    own: set[bool | None] = set()
    for store in dict.fromkeys((*(arguments.train or known.stores), *known.start_stores)):
        rows = [row for row in read_slices(store) if row.origin not in HALF_KNOWN]
        own |= told_of(store, {row.case for row in rows if not known.patients or row.patient in known.patients})
    said = read_population(arguments.population).simulated if arguments.population else arguments.simulated
    if said and False in own:
        raise PopulationError(
            "The model was trained on real patients, as their case table says: export without --simulated, and say on "
            "whom with --population."
        )
    behind: set[bool | None] = {one.simulated for one in known.forebears}
    if own and not known.complete and not behind:
        behind = {None}  # what it started from, nobody knows
    if own | behind == {True} and not said:
        raise PopulationError(
            "The model was trained on simulated patients alone, as their case table says, so every screen has to say "
            "so: export with --simulated, and without --population."
        )


def _check_certainty(arguments: argparse.Namespace) -> None:
    """Refuse, before hours of proof, slices without words and patients that the model was trained on.

    Raises:
        ModelError: naming a patient.
    """
    from inference.errors import ModelError
    from training.nnunet.results.trained_on import trained_on

    if bool(arguments.certainty) != bool(arguments.certainty_data):
        raise ModelError("--certainty needs --certainty-data, and the other way round: say which slices these are.")
    if arguments.certainty and (seen := trained_on(arguments.model, arguments.folds).among(arguments.certainty)):
        raise ModelError(f"The model was trained on {seen[0]}, who is among the slices of --certainty: take it out.")
