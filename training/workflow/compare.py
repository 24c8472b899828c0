"""Makes one comparison of an experiment in the working folder, `report/NAME/`; the workflow runs it."""

import argparse
import sys
from pathlib import Path

from training.evaluation.cutoff_trend import Run
from training.evaluation.origins import mode_of, origin_of
from training.evaluation.scoring import score_models, segments
from training.evaluation.strata import with_tumour
from training.experiments.declaration import Comparison, Experiment
from training.io.ending import ended
from training.io.receipt import write_json
from training.slicing.leaks import read_identities, refuse_leaks, refuse_twins
from training.slicing.slices import read_slices
from training.slicing.store import join_stores
from training.workflow.patients import declared_for


def compare_declared(experiment: Experiment, name: str) -> None:
    """Score a comparison's models on all slices of its test cohorts, or only the model chosen on other cohorts.

    Raises:
        OriginError: if a model was trained on a patient of the test, or the receipts tell of another mode.
    """
    from training.evaluation.grid import compare_grid

    one = experiment.comparisons[name]
    runs, notes = _runs(experiment, name), [one.note] if one.note else []
    choice = Path("report", name, "choice.json")
    choice.unlink(missing_ok=True)  # of a declaration that chose
    if one.choose_on:
        best, words = _chosen(experiment, name, choice)
        runs, notes = [run for run in runs if run.model == best], [*notes, words]
    store = _joined(one.test)
    mode_of((run.predictions for run in runs), experiment.mode)
    compare_grid(
        runs,
        store,
        Path("report", name),
        data=one.data,
        simulated=experiment.simulated,
        annotators={reader: _reader(experiment, one, reader) for reader in one.annotators},
        notes=notes,
        title=f"{experiment.title}: {name}",
        cases=_tables(experiment, one.test),
        mode=experiment.mode,
        origins={run.predictions: origin_of(run.predictions, store) for run in runs},
    )


def _runs(experiment: Experiment, name: str) -> list[Run]:
    """The runs of a comparison: its models, each with the folds to score."""
    return [
        Run(
            model=label,
            cutoff_mm2=experiment.models[model].min_area,
            fold=fold,
            predictions=Path("predictions", model, fold),
            series=label.partition(" ")[2],
        )
        for label, model in experiment.comparisons[name].models.items()
        for fold in experiment.scored(name, model)
    ]


def _joined(cohorts: tuple[str, ...]) -> Path:
    """The slices of several cohorts, joined in one store.

    Raises:
        LeakError: if one patient of two cohorts has two names, and would count twice in every mean over patients.
    """
    out, stores = Path("stores", "+".join(cohorts)), [Path("slices", cohort) for cohort in cohorts]
    refuse_twins([identity for store in stores for identity in read_identities(store)])
    join_stores(stores, out)
    return out


def _tables(experiment: Experiment, cohorts: tuple[str, ...]) -> list[Path]:
    """The case tables of cohorts."""
    return [Path(experiment.cohorts[name].cases or f"tables/{name}.csv") for name in cohorts]


def _chosen(experiment: Experiment, name: str, choice: Path) -> tuple[str, str]:
    """The model with the highest mean Dice over its folds and all tumour slices of `choose_on`, and a note on it."""
    _refuse_shared(experiment.comparisons[name])
    store = _joined(experiment.comparisons[name].choose_on)
    dice: dict[str, list[float]] = {}
    for run in _runs(experiment, name):
        origin_of(run.predictions, store)
        (slices,) = score_models(read_slices(store), store, {run.model: segments(run.predictions)}).values()
        found = [one.score.dice for one in with_tumour(slices) if one.score.dice is not None]
        dice.setdefault(run.model, []).append(sum(found) / len(found))
    means = {label: sum(folds) / len(folds) for label, folds in dice.items()}
    best = max(means, key=lambda label: means[label])
    listed = ", ".join(f"{label} {mean:.3f}" for label, mean in means.items())
    write_json({"simulated": experiment.simulated, "mean_dice": means, "chosen": best}, choice)
    return best, f"Mean Dice there, over folds: {listed}. Chosen: {best}."


def _refuse_shared(one: Comparison) -> None:
    """Refuse a patient on whom a model would be chosen, and its choice tested.

    Raises:
        LeakError: naming the two cases.
    """
    for chosen in one.choose_on:
        for tested in one.test:
            refuse_leaks(read_identities(Path("slices", chosen)), read_identities(Path("slices", tested)))


def _reader(experiment: Experiment, one: Comparison, reader: str) -> Path:
    """Cut a second annotator's masks to the slices of the comparison; return their folder."""
    from training.cohort.cases import read_cases
    from training.slicing.annotator_masks import cut_reader

    annotator = one.annotators[reader]
    cohort = experiment.cohorts[annotator.cohort]
    masks = Path("cohorts", annotator.cohort, annotator.folder) if cohort.simulate else Path(annotator.folder)
    out = Path("readers", reader)
    (table,) = _tables(experiment, (annotator.cohort,))
    cut_reader(
        read_cases(table), masks, Path("slices", annotator.cohort), out, experiment.slicing_of(annotator.cohort).slicing
    )
    return out


def main() -> int:
    """Run the command line that the workflow calls."""
    one = argparse.ArgumentParser(prog="python -m training.workflow.compare", description=main.__doc__)
    one.add_argument("experiment", type=Path)
    one.add_argument("comparison")
    one.add_argument("--small", action="store_true")
    arguments = one.parse_args()
    return ended(
        lambda: compare_declared(
            declared_for(Path(), arguments.experiment, small=arguments.small), arguments.comparison
        )
    )


if __name__ == "__main__":
    sys.exit(main())
