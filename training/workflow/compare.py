"""One comparison of an experiment, run by the workflow in its working folder: `report/NAME/`."""

import argparse
import sys
from pathlib import Path

from inference.errors import IusError
from training.experiments.declaration import Comparison, Experiment, read_experiment
from training.receipt import write_json
from training.stores import join_stores


def compare_declared(experiment: Experiment, name: str) -> None:
    """Score a comparison's models on all slices of its cohorts; where it says so, the one chosen on others alone."""
    from training.evaluation.compare import compare

    one = experiment.comparisons[name]
    models, note = dict(one.models), one.note
    if one.choose_on:
        models, note = _chosen(experiment, one, Path("report", name))
    store = _joined(one.test)
    compare(
        {label: Path("predictions", model) for label, model in models.items()},
        store,
        Path("report", name),
        data=f"{one.data}. {note}".strip(),
        simulated=experiment.simulated,
        annotators={reader: _reader(experiment, one, reader) for reader in one.annotators},
        title=f"{experiment.title}: {name}",
        cases=_tables(experiment, one.test),
    )


def _joined(cohorts: tuple[str, ...]) -> Path:
    """The slices of several cohorts as one store."""
    out = Path("stores", "+".join(cohorts))
    join_stores([Path("slices", cohort) for cohort in cohorts], out)
    return out


def _tables(experiment: Experiment, cohorts: tuple[str, ...]) -> list[Path]:
    """The case tables of cohorts."""
    return [Path(experiment.cohorts[name].cases or f"tables/{name}.csv") for name in cohorts]


def _chosen(experiment: Experiment, one: Comparison, out: Path) -> tuple[dict[str, str], str]:
    """The model of highest mean Dice over all tumour slices of `choose_on`, and the words that say so."""
    from training.evaluation.scoring import score_models, segments
    from training.evaluation.strata import with_tumour
    from training.slices import read_slices

    store = _joined(one.choose_on)
    masks = {label: segments(Path("predictions", model)) for label, model in one.models.items()}
    scores = score_models(read_slices(store), store, masks)
    means = {}
    for label, slices in scores.items():
        dice = [scored.score.dice for scored in with_tumour(slices) if scored.score.dice is not None]
        means[label] = sum(dice) / len(dice)
    best = max(means, key=lambda label: means[label])
    listed = ", ".join(f"{label} {mean:.3f}" for label, mean in means.items())
    write_json({"simulated": experiment.simulated, "mean_dice": means, "chosen": best}, out / "choice.json")
    return {best: one.models[best]}, f"{one.note} Mean Dice there: {listed}; chosen: {best}."


def _reader(experiment: Experiment, one: Comparison, reader: str) -> Path:
    """A second annotator's masks on the slices of the comparison."""
    from training.cases import read_cases
    from training.readers import cut_reader

    annotator = one.annotators[reader]
    cohort = experiment.cohorts[annotator.cohort]
    masks = Path("cohorts", annotator.cohort, annotator.folder) if cohort.simulate else Path(annotator.folder)
    out = Path("readers", reader)
    (table,) = _tables(experiment, (annotator.cohort,))
    cut_reader(read_cases(table), masks, Path("slices", annotator.cohort), out, experiment.slicing.slicing)
    return out


def main() -> int:
    """The command line that the workflow calls."""
    one = argparse.ArgumentParser(prog="python -m training.workflow.compare", description=main.__doc__)
    one.add_argument("experiment", type=Path)
    one.add_argument("comparison")
    one.add_argument("--small", action="store_true")
    arguments = one.parse_args()
    try:
        compare_declared(read_experiment(arguments.experiment, small=arguments.small), arguments.comparison)
    except IusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
