"""The facts in a contract that do not come from the network: its training slices, its population, its scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from inference.contract import BandScore, Measured, Mode, Population
from inference.errors import FormatError, ModelError
from training.io.files import written_aside
from training.nnunet.claims import DIGEST
from training.nnunet.dataset import Choice, digest
from training.nnunet.results.checkpoint import Trained
from training.nnunet.results.trained_on import START_KNOWN
from training.slicing.leaks import spelling
from training.slicing.slices import CARRIED, SliceRow, read_slices

LabelOrigin = Literal["us", "mri", "both", "simulated"]

PUBLISHED = Path(__file__).parent / "populations"
"""The populations of the paper's published models, with the paper's own figures; what it does not state is empty."""
_TEMPLATE = Path(__file__).with_name("population_template.json")
_TO_FILL_IN = "TO FILL IN"

SIMULATED_LACKS = (
    "vessels, mirror ghosts and refraction; in plain patients neither dropout nor reverberation nor bone",
    "sulci as thin and as sharp as in a living brain",
    "brain shift during the sweep and errors of probe tracking",
    "artefacts of a real machine: its speckle filters, compounding and gain curves",
    "blood, saline, haemostatic material and the many looks of a resection cavity",
    "tumours other than the few appearances that were drawn",
)
"""What the simulator does not show, in the words of the model card."""


class _Data(msgspec.Struct, frozen=True, kw_only=True):
    """The data that an evaluation was made on."""

    name: str
    simulated: bool
    n_patients: int
    n_slices: int
    annotator: str | None = None
    """How the outlines were drawn, if no model may report scores against them as its accuracy."""
    patients: frozenset[str] = frozenset()
    seen_in_training: frozenset[str] = frozenset()
    checkpoints: frozenset[str] = frozenset()
    largest_only: bool | None = None


class _Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of `report/summary.json` that go into a contract."""

    data: _Data
    mode: Mode
    by_predicted_area: tuple[BandScore, ...]
    by_true_area: tuple[BandScore, ...]
    miss_rate: float | None
    positive_rate: float | None
    specificity: float | None
    specificity_35mm2: float | None


def read_measured(paths: Sequence[Path], trained: Trained | None = None) -> dict[Mode, Measured]:
    """Read the scores of `ius-train evaluate`, one summary per mode.

    Args:
        paths: summary.json files.
        trained: the model; the scores have to be of it, on patients that it was not trained on; None checks neither.

    Raises:
        FormatError: if a file is missing or not such a summary, two are of one mode, or one is not a test of the model.
    """
    found: dict[Mode, Measured] = {}
    for path in paths:
        mode, measured = _read_summary(path, trained)
        if mode in found:
            raise FormatError(f"{path} is a second evaluation in the {mode.value} mode: give one a mode.")
        found[mode] = measured
    return found


def _read_summary(path: Path, trained: Trained | None) -> tuple[Mode, Measured]:
    """Read one summary.json."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Evaluation)
    except OSError as error:
        raise FormatError(f"There is no evaluation at {path}: make one with 'ius-train evaluate'.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is no summary of 'ius-train evaluate' ({error}).") from error
    if found.data.annotator is not None:
        raise FormatError(
            f"{path} is against outlines drawn {found.data.annotator}: no model carries that as its accuracy."
        )
    if trained is not None:
        _check_test(found.data, trained, path)
    measured = Measured(
        data=found.data.name,
        simulated=found.data.simulated,
        n_patients=found.data.n_patients,
        n_slices=found.data.n_slices,
        by_predicted_area=found.by_predicted_area,
        by_true_area=found.by_true_area,
        miss_rate=found.miss_rate,
        positive_rate=found.positive_rate,
        specificity=found.specificity,
        specificity_35mm2=found.specificity_35mm2,
    )
    return found.mode, measured


def _check_test(data: _Data, trained: Trained, path: Path) -> None:
    """Refuse scores of another model or post-processing, and scores on patients that this model was trained on.

    Raises:
        FormatError: naming what is wrong.
    """
    if not data.checkpoints:
        raise FormatError(
            f"{path} does not tell which model its scores are of, since its masks have no receipt: predict with "
            "'ius-train predict', evaluate, and export with that summary."
        )
    if data.checkpoints != set(trained.checkpoints):
        raise FormatError(f"{path} holds the scores of another model than {trained.folder}: evaluate this one.")
    if data.largest_only not in (None, trained.keep_largest):
        rule = "their largest region only" if data.largest_only else "all regions"
        raise FormatError(
            f"{path} holds the scores of masks with {rule}, which is not this model's post-processing: predict into a "
            "new folder, and evaluate that."
        )
    known = {spelling(patient) for patient in trained.trained_on.patients}
    seen = sorted(data.seen_in_training | {patient for patient in data.patients if spelling(patient) in known})
    if seen:
        raise FormatError(
            f"{path} scores {trained.folder} on {len(seen)} patients that it was trained on ({seen[0]}), which is no "
            "test: evaluate it on others, or export without --evaluation."
        )


def training_stores(trained: Trained, given: Sequence[Path]) -> tuple[Path, ...]:
    """The slice stores of the training: those given, or those that the fit receipt names, if all are still there."""
    if given:
        return tuple(given)
    return trained.stores if all((store / "slices.csv").is_file() for store in trained.stores) else ()


def training_rows(trained: Trained, stores: Sequence[Path]) -> list[tuple[SliceRow, Path]]:
    """The slices that the model's folds were trained on, each with its store, as far as receipts tell.

    Raises:
        ModelError: if the stores hold none of them, or hold others by now.
    """
    told, known = trained.receipt.settings, trained.trained_on
    whose = known.patients if known.complete else frozenset()
    choice = Choice(area_cutoff(trained) or 0.0, told.get("negatives") != "none", told.get("excluded"))
    chosen = [(row, store) for store in stores for row in choice.of(read_slices(store))]
    _refuse_other_slices(trained, chosen)
    used = [(row, store) for row, store in chosen if not whose or row.patient in whose]
    if stores and not used:
        raise ModelError(f"{stores[0]} holds no slice that the model was trained on: name its own stores with --train.")
    return used


def label_origin_of(trained: Trained, stores: Sequence[Path]) -> LabelOrigin | None:
    """Where the masks of the training's slices were drawn; None if that is not known, or not all of them were drawn."""
    origins = {row.origin for row, _ in training_rows(trained, stores)}
    if not origins or origins - {"us", CARRIED}:
        return None
    return "both" if len(origins) == 2 else "mri" if CARRIED in origins else "us"


def _refuse_other_slices(trained: Trained, chosen: Sequence[tuple[SliceRow, Path]]) -> None:
    """Refuse stores that were cut anew since the training, or are others at the same place.

    Raises:
        ModelError: naming the first one.
    """
    told = trained.dataset
    if not chosen or DIGEST not in told:  # a training of somebody else's
        return
    homes = {pair[0].name: pair for pair in chosen}
    if digest(homes[name] for name in told.get("dataset", ()) if name in homes) != told[DIGEST]:
        raise ModelError(
            f"{chosen[0][1]} no longer holds the slices that the model was trained on: name a store that does with "
            "--train, or move this one away, and nnU-Net's own fingerprint of the training is taken."
        )


def area_cutoff(trained: Trained) -> float | None:
    """The area cut-off in mm² of the training; None if nothing states it."""
    value = trained.receipt.settings.get("min_area")
    return None if value is None else float(value)


def simulated_population(
    n_patients: int, *, native: bool, painted: Sequence[str] = (), marked: Sequence[str] = ()
) -> Population:
    """The population of a model that was never told by a person where a real patient's tumour is.

    Args:
        n_patients: how many simulated patients.
        native: whether there were native frames.
        painted: real volumes that simulated tumours were painted into; their own tumours were ignored.
        marked: real volumes in which earlier models, themselves of simulated patients, marked the tumour.
    """
    real = "" if painted or marked else "no real one. "
    if painted:
        own = "" if marked else ", of whose own tumours nothing was said"
        real = (
            f"and simulated tumours painted into {len(painted)} real volumes ({', '.join(painted)}){own} "
            "(Xiao et al. 2017, CC BY 4.0, changed). "
        )
    if marked:
        real += (
            f"{'In' if painted else 'and'} {len(marked)} real volumes ({', '.join(marked)}) earlier models marked what "
            "they took for tumour, and no person (Xiao et al. 2017, CC BY 4.0). "
        )
    return Population(
        words=f"{n_patients or 'An unrecorded number of'} simulated patients; {real}"
        "For demonstration, never evidence of clinical accuracy.",
        phases=("before_dura_opening",),
        surgery=("first",),
        tumour_types=("simulated glioma",),
        grades=(),
        sites=(),
        scanners=("simulated",),
        views=("slice", "native") if native else ("slice",),
        n_patients=n_patients,
        simulated=True,
    )


def with_start(people: Population, trained: Trained) -> Population:
    """The population with a sentence on each model or checkpoint that its weights come from.

    Raises:
        ModelError: if the population is said to be simulated, and such a model was trained on real patients.
    """
    forebears = trained.trained_on.forebears
    if real := [one.name for one in forebears if people.simulated and not one.simulated]:
        raise ModelError(
            f"Its weights come in part from {real[0]}, which was trained on real patients: export without --simulated, "
            "and say on whom with --population."
        )
    said = [one.words for one in forebears]
    settings = trained.receipt.settings
    started, start = settings.get("started"), settings.get("start")
    if isinstance(started, dict) and isinstance(started.get("words"), str):
        said.append(f"{started['words']} The patients behind that file are not known here.")
    elif start and not said and not settings.get(START_KNOWN):
        said.append(f"It went on from {Path(str(start)).name}, and the patients behind that file are not known here.")
    return msgspec.structs.replace(people, words=" ".join((people.words, *said)))


def read_population(named: str) -> Population:
    """Read the population from a JSON file with exactly its fields, or take that of one of the published models.

    Args:
        named: a path, or MRI_200, US_200 or MRI+US_200, the names of the published zips.

    Raises:
        FormatError: naming the field that is missing, unknown, of the wrong type or still as in the template.
    """
    path = PUBLISHED / f"{named}.json" if named in published_populations() else Path(named)
    try:
        population = msgspec.json.decode(path.read_bytes(), type=Population)
    except OSError as error:
        known = ", ".join(published_populations())
        raise FormatError(
            f"There is no population file at {path}: give one ('ius-train export --population-template FILE' writes "
            f"one to fill in), or the name of {known}."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} does not describe a population ({error}).") from error
    left = [name for name, value in msgspec.structs.asdict(population).items() if _TO_FILL_IN in str(value)]
    if left:
        raise FormatError(f"{path} still says '{_TO_FILL_IN}' under {left[0]}: write there what is true, or remove it.")
    return population


def write_template(path: Path) -> None:
    """Write a population file to fill in; as it stands it is refused."""
    with written_aside(path) as aside:
        aside.write_bytes(_TEMPLATE.read_bytes())


def published_populations() -> list[str]:
    """The names of the published models with a known population."""
    return sorted(path.stem for path in PUBLISHED.glob("*.json"))
