"""Makes the page of a whole experiment in the working folder, `report/report.html`; the workflow runs it."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from training.evaluation.page import Page, Picture, Section
from training.evaluation.population import Population
from training.experiments.declaration import Experiment
from training.io.ending import ended
from training.slicing.slices import read_slices
from training.workflow.commands import Commands
from training.workflow.findings import comparison_table, label_table, model_table
from training.workflow.patients import declared_for

OUT = Path("report")
_MIRRORS = {
    "thorough": "predicted over all mirrors, as nnU-Net does by default",
    "fast": "predicted without mirrors, a deviation from nnU-Net's default",
}


def write_page(experiment: Experiment, commands: Commands) -> None:
    """Write `report.html`, `report.md` and the CSV and PNG files they show."""
    population = Population.of(experiment.simulated)
    sections = [*_comparisons(experiment, population), *_made(experiment, commands, population)]
    for section in sections:
        for table in section.tables:
            table.write_csv(OUT / "tables" / f"{table.key}.csv")
    counts = {name: read_slices(Path("slices", name)) for name in experiment.cohorts}
    words = [
        f"{name}: {len({row.patient for row in rows})} patients, {len(rows)} slices" for name, rows in counts.items()
    ]
    Page(experiment.title, _protocol(experiment), "; ".join(words) + ".", tuple(sections)).write(OUT)


def _protocol(experiment: Experiment) -> str:
    """How the models were trained, in one sentence."""
    how = experiment.training
    given = {"epochs": how.epochs, "iterations an epoch": how.iterations, "slices a batch": how.batch_size}
    lengths = ", ".join(f"{value} {name}" for name, value in given.items() if value is not None)
    bfloat16 = ", bfloat16" if how.bfloat16 else ""
    words = f"nnU-Net 2D, plan {how.plan}{', ' + lengths if lengths else ''}{bfloat16}; {_MIRRORS[experiment.mode]}"
    return f"{words}; folds as the models' table says."


def _comparisons(experiment: Experiment, population: Population) -> list[Section]:
    """A section for each comparison with its trend and first table; its own page holds the rest."""
    found = []
    for name, one in experiment.comparisons.items():
        words = [f"On {one.data}.", one.note, _choice(name), f"All tables and figures: {name}/report.html."]
        trend = OUT / name / "figures" / "trend.png"
        pictures = (Picture(_beside(trend, name), "Against the cut-off", "Dots are folds."),) if trend.is_file() else ()
        found.append(Section(name, population, pictures, (comparison_table(name),), tuple(filter(None, words))))
    return found


def _choice(name: str) -> str:
    """A note on the model chosen beforehand, if the comparison chooses one."""
    path = OUT / name / "choice.json"
    if not path.is_file():
        return ""
    choice = json.loads(path.read_text(encoding="utf-8"))
    means = ", ".join(f"{model} {mean:.3f}" for model, mean in choice["mean_dice"].items())
    return f"Mean Dice where it was chosen, over folds: {means}. Chosen: {choice['chosen']}."


def _beside(picture: Path, name: str) -> Path:
    """Copy a comparison's picture to the page's own pictures."""
    copy = OUT / "figures" / f"{name}-{picture.name}"
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(picture, copy)
    return copy


def _made(experiment: Experiment, commands: Commands, population: Population) -> list[Section]:
    """The sections on labels and models."""
    labels = label_table(experiment)
    sections = [Section("MRI's labels", population, tables=(labels,))] if labels else []
    return [*sections, Section("Models", population, tables=(model_table(experiment, commands),))]


def main() -> int:
    """Run the command line that the workflow calls."""
    one = argparse.ArgumentParser(prog="python -m training.workflow.report", description=main.__doc__)
    one.add_argument("experiment", type=Path)
    one.add_argument("--small", action="store_true")
    arguments = one.parse_args()

    def run() -> None:
        experiment = declared_for(Path(), arguments.experiment, small=arguments.small)
        write_page(experiment, Commands(experiment, arguments.experiment, small=arguments.small))

    return ended(run)


if __name__ == "__main__":
    sys.exit(main())
