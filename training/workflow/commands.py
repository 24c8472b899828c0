"""The command of each workflow rule: what follows `python -m` on a shell line in the working folder."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from inference.errors import IusError
from training.cohort.cases import PATHS, read_cases
from training.cohort.folds import N_FOLDS
from training.experiments.declaration import Experiment
from training.nnunet.names import dataset_name, model_folder

_FIRST_DATASET = 501


def shell_line(*words: object) -> str:
    """The words quoted for a shell, without the empty ones."""
    return shlex.join(str(word) for word in words if word != "")


def _train(*words: object) -> str:
    """The command of a stage of `ius-train`."""
    return shell_line("training.cli", *words)


def _options(**values: object) -> list[str]:
    """`--name value` for each value that is not None; just `--name` for True."""
    words = []
    for name, value in values.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words += [option, str(value)]
    return words


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of one experiment's stages, and the files they need.

    Attributes:
        experiment: its declaration.
        path: the file of the declaration.
        small: whether it is a trial run.
    """

    experiment: Experiment
    path: Path
    small: bool

    def simulate(self, cohort: str) -> str:
        """Simulate a cohort."""
        how = self.experiment.cohorts[cohort].simulate
        assert how is not None  # noqa: S101 - the rule exists for simulated cohorts only
        small = self.small or how.small
        words = _options(cohort=how.cohort, patients=how.patients, seed=how.seed, small=small)
        mri = _options(mri=how.label_error is not None, label_error=how.label_error)
        return _train("simulate", "--out", f"cohorts/{cohort}", *words, *mri)

    def cases(self, cohort: str) -> str:
        """Find the cases of a simulated cohort."""
        folder, how = Path("cohorts", cohort), self.experiment.cohorts[cohort].simulate
        assert how is not None  # noqa: S101 - as above
        wanted = self.experiment.slicing_of(cohort).every_frame is not None and how.cohort.sweeps
        sweeps = folder / "sweeps" if wanted else None
        return _train(
            "cases",
            *("--resect", folder / "RESECT", "--resect-seg", folder / "RESECT_segmentation"),
            *_options(sweeps=sweeps),
            *("--mri", self.experiment.cohorts[cohort].mri, "--out", self.table(cohort)),
        )

    def table(self, cohort: str) -> str:
        """The case table of a cohort."""
        return self.experiment.cohorts[cohort].cases or f"tables/{cohort}.csv"

    def files(self, cohort: str) -> list[str]:
        """What a cohort's case table names and is there, so that a picture or mask that was replaced is cut again.

        A simulated cohort's are made with the table. What is wrong with a table says the stage that reads it.
        """
        table = self.experiment.cohorts[cohort].cases
        if table is None:
            return []
        try:
            cases = [case for case in read_cases(Path(table)) if not case.exclude]
        except IusError:
            return []
        named = [path for case in cases for path in (*(getattr(case, name) for name in PATHS), *case.mri) if path]
        return [str(path) for path in dict.fromkeys(named) if path.is_file()]

    def seen(self, *named: str) -> str:
        """Size and time of files that no stage makes, and of all in folders.

        Snakemake runs a rule again for files that are newer than what it made: one that takes another's place may be
        older, and it looks into no folder.
        """
        given = map(Path, self._not_made(named))
        paths = [path for name in given for path in (name, *sorted(name.rglob("*"))) if path.is_file()]
        kept = ((str(path), path.stat()) for path in paths)
        return " ".join(f"{name}:{told.st_size}:{told.st_mtime_ns}" for name, told in kept)

    def register(self, cohort: str) -> str:
        """Register a cohort's MRI and carry its labels over."""
        one = self.experiment.cohorts[cohort]
        refined = None if one.refine == "none" else one.refine
        how = _options(out=f"registered/{cohort}", metric=one.metric, refine=refined)
        return _train("register", self.table(cohort), *how)

    def review(self, cohort: str) -> str:
        """Accept a simulated cohort; for a real one, write the review page and stop until a person has decided."""
        simulated = _options(simulated=self.experiment.simulated)
        words = ("training.workflow.reviewed", f"registered/{cohort}", self.table(cohort))
        return shell_line(*words, *simulated)

    def labels(self, cohort: str) -> list[str]:
        """The files that must exist, besides the case table, before a cohort is cut."""
        return [f"registered/{cohort}/reviewed"] if self.experiment.cohorts[cohort].labels == "mri" else []

    def slice(self, cohort: str) -> str:
        """Cut a cohort."""
        labels, how = self.experiment.cohorts[cohort].labels, self.experiment.slicing_of(cohort)
        carried = _options(registered=f"registered/{cohort}" if labels == "mri" else None)
        cut = _options(step_mm=how.step_mm, every_frame=how.every_frame, negatives=how.negatives, slicing=how.slicing)
        # The case table of a simulated cohort names its sweeps only if they are wanted.
        cut += _options(no_sweeps=how.every_frame is None and self.experiment.cohorts[cohort].cases is not None)
        return _train("slice", self.table(cohort), "--out", f"slices/{cohort}", "--labels", labels, *carried, *cut)

    def folds(self) -> str:
        """Draw the folds over all training patients, and refuse a patient who is tested too."""
        held_out = [name for name in self.experiment.test_cohorts if name not in self.experiment.training_cohorts]
        train = [f"slices/{cohort}" for cohort in self.experiment.training_cohorts]
        test = ["--test", *(f"slices/{cohort}" for cohort in held_out)] if held_out else []
        return _train("folds", *train, *test, "--out", "folds.json", "--seed", self.experiment.seed)

    def fit(self, model: str, fold: str) -> str:
        """Train one fold of a model."""
        one, how = self.experiment.models[model], self.experiment.training_of(model)
        which = _options(min_area=one.min_area, negatives="all" if one.negatives else "none", exclude=one.exclude)
        start = {"start": self.draft(one.starts_from)} if one.starts_from else {}
        learnt = _options(**how.options | start, variant=self._variant(model) or None, jobs=1)
        title = self.experiment.first_with_data(model)
        name = _options(dataset_id=self._number(model), title=title, fold=fold, folds="folds.json")
        stores = [f"slices/{cohort}" for cohort in one.cohorts]
        return _train("fit", *stores, "--work", ".", "--seed", self.experiment.seed, *name, *which, *learnt)

    def starts(self, model: str) -> list[str]:
        """The files, besides its slices, that a training needs: an export to start from, a list of exclusions."""
        one, given = self.experiment.models[model], self.experiment.training_of(model).start
        drafted = [self.draft(one.starts_from)] if one.starts_from else [given] if given else []
        return [*drafted, *([one.exclude] if one.exclude else [])]

    def annotators(self, comparison: str) -> list[str]:
        """The folders of second annotators that the user has to put into the working folder."""
        readers = self.experiment.comparisons[comparison].annotators.values()
        return [one.folder for one in readers if not self.experiment.cohorts[one.cohort].simulate]

    def outside(self) -> list[str]:
        """Every file and folder that no stage makes and that has to be in the working folder from the start."""
        tables = [cohort.cases for cohort in self.experiment.cohorts.values() if cohort.cases]
        starts = [path for model in self.experiment.models for path in self.starts(model)]
        folders = [path for comparison in self.experiment.comparisons for path in self.annotators(comparison)]
        return self._not_made([*tables, *starts, *folders])

    def _not_made(self, named: Iterable[str]) -> list[str]:
        """Those that no stage makes: stages make exports to start from, and case tables of simulated cohorts."""
        made = {self.table(name) for name, cohort in self.experiment.cohorts.items() if cohort.simulate}
        made |= {self.draft(model) for model in self.experiment.models}
        return [path for path in dict.fromkeys(named) if path not in made]

    def draft(self, model: str) -> str:
        """The path of a model's .onnx file without scores."""
        return f"exports/drafts/{model}.onnx"

    def export_draft(self, model: str) -> str:
        """Export a model without scores, to train on from it or to score it over all mirrors as the viewer runs it."""
        return self._export(model, self.draft(model), self.experiment.title, [])

    def scored_on(self, export: str) -> str:
        """The slices that an export is scored on."""
        (cohort,) = self.experiment.comparisons[self.experiment.exports[export].comparison].test
        return f"slices/{cohort}"

    def predict_thorough(self, export: str) -> str:
        """Predict an export's test cohort over all mirrors."""
        draft = self.draft(self.experiment.exports[export].model)
        out = f"predictions/{export}/thorough"
        return _train("predict", draft, self.scored_on(export), "--out", out, "--mode", "thorough")

    def masks(self, export: str, mode: str) -> str:
        """The receipt of the predictions from which an export is scored in one mode."""
        return f"{self._predictions(export, mode)}/receipt-predict.json"

    def _predictions(self, export: str, mode: str) -> str:
        """The folder of predictions: nnU-Net's own in fast mode, the engine's, over all mirrors, in thorough mode."""
        model = self.experiment.exports[export].model
        return f"predictions/{export}/thorough" if mode == "thorough" else f"predictions/{model}/all"

    def evaluate(self, export: str, mode: str) -> str:
        """Score an export in one mode."""
        one, data, predictions = (
            self.experiment.exports[export],
            self.scored_on(export),
            self._predictions(export, mode),
        )
        words = self.experiment.comparisons[one.comparison].data
        beside = f"slices/{one.baseline}" if one.baseline and mode == "fast" else None
        how = _options(out=f"exports/{export}/{mode}", data=words, mode=mode, baseline=beside)
        return _train("evaluate", predictions, data, *how, *_options(simulated=self.experiment.simulated))

    def export(self, export: str) -> str:
        """Export a model with its scores in both modes."""
        one = self.experiment.exports[export]
        scores = [f"exports/{export}/{mode}/summary.json" for mode in ("fast", "thorough")]
        # A barely trained network is too undecided on real frames for parity: a trial uses the exporter's samples.
        checked = [] if self.small else ["--verify", self.scored_on(export)]
        certain = _options(certainty_data=one.certainty_data) if self.certainty(export) else []
        certain += [word for store in self.certainty(export) for word in ("--certainty", store)]
        words = [*checked, "--version", one.version, "--evaluation", *scores, *certain]
        return self._export(one.model, f"exports/{export}.onnx", one.name, words)

    def certainty(self, export: str) -> list[str]:
        """The slices on which an export's certainty is measured; none in a trial run, which has too few contours."""
        one = self.experiment.exports[export]
        return [f"slices/{one.certainty}"] if one.certainty and not self.small else []

    def _export(self, model: str, out: str, name: str, words: list[str]) -> str:
        """Export fold 0, or all folds of a model fused into one."""
        folds = [str(fold) for fold in self.experiment.folds(model)]
        how = _options(simulated=self.experiment.simulated, trial=self.small)
        return _train("export", self.model_folder(model), "--out", out, "--name", name, "--folds", *folds, *how, *words)

    @property
    def fit_minutes(self) -> int:
        """Minutes to request from a cluster for one fold; the next run resumes a training that takes longer."""
        return 7 * 24 * 60 if self.experiment.training.epochs is None else 24 * 60

    def fit_threads(self, model: str) -> int:
        """Cores for one fold's training: the training itself and its augmenting processes."""
        return 1 + self.experiment.training_of(model).workers

    def fit_memory(self, model: str) -> int:
        """MB for one fold's training: nnU-Net's own, and as much again for every few augmenting processes."""
        return 8000 + 1000 * self.experiment.training_of(model).workers

    @property
    def fit_gpus(self) -> dict[str, Any]:
        """The GPUs to request from a cluster for a training, if trainings are declared to run on GPUs."""
        return self._gpus(self.experiment.training.gpus)

    @property
    def predict_gpus(self) -> dict[str, Any]:
        """The one GPU to request for a prediction, if trainings are declared to run on GPUs."""
        return self._gpus(1)

    def _gpus(self, count: int) -> dict[str, Any]:
        """A number of GPUs in the form that Snakemake passes to Slurm; empty for a CPU."""
        return {"gres": f"gpu:{count}"} if self.experiment.training.device == "cuda" else {}

    def postprocess(self, model: str) -> str:
        """Let nnU-Net choose the post-processing from the five folds' validation."""
        how = _options(device=self.experiment.training_of(model).device, mode=self.experiment.mode)
        return _train("postprocess", self.model_folder(model), "--work", ".", *how)

    def trained(self, model: str, fold: str) -> list[str]:
        """The files a prediction needs: its folds and, with all five of them, the choice of post-processing."""
        if fold != "all":
            return [f"fits/{model}/fold_{fold}"]
        folds = self.experiment.folds(model)
        chosen = [f"fits/{model}/postprocessing"] if len(folds) == N_FOLDS else []
        return [*(f"fits/{model}/fold_{one}" for one in folds), *chosen]

    def predict(self, model: str, fold: str) -> str:
        """Predict every slice of the cohorts that a model is scored on."""
        stores = [f"slices/{cohort}" for cohort in self.experiment.tests_of(model)]
        folds = [str(one) for one in self.experiment.folds(model)] if fold == "all" else [fold]
        device = _options(device=self.experiment.training_of(model).device)
        out = ("--out", f"predictions/{model}/{fold}")
        how = _options(mode=self.experiment.mode, boxes=self.experiment.predicts_boxes)
        return _train("predict", self.model_folder(model), *stores, *out, "--folds", *folds, *device, *how)

    def predicted(self, comparison: str) -> list[str]:
        """The predictions that a comparison needs."""
        models = self.experiment.comparisons[comparison].models.values()
        return [
            f"predictions/{model}/{fold}/receipt-predict.json"
            for model in models
            for fold in self.experiment.scored(comparison, model)
        ]

    def compare(self, comparison: str) -> str:
        """Score a comparison's models side by side."""
        return self._workflow("compare", comparison)

    def compared(self, comparison: str) -> str:
        """All that the declaration says of a comparison, which its command names only."""
        one = self.experiment.comparisons[comparison]
        models = {name: self.experiment.models[name] for name in one.models.values()}
        return msgspec.json.encode((self.experiment.title, one, models)).decode()

    def declared(self) -> str:
        """All that the declaration says, which the command of the report names only."""
        return msgspec.json.encode(self.experiment).decode()

    def report(self) -> str:
        """Write one page with all comparisons."""
        return self._workflow("report")

    def _workflow(self, module: str, *words: str) -> str:
        """The command of a workflow step that is not a stage of the command line."""
        small = _options(small=self.small)
        return shell_line(f"training.workflow.{module}", self.path, *words, *small)

    def _number(self, model: str) -> int:
        """nnU-Net's number for a model's data set, from the place of the data set's first model in the declaration."""
        return _FIRST_DATASET + list(self.experiment.models).index(self.experiment.first_with_data(model))

    def _variant(self, model: str) -> str:
        """A name that distinguishes models on the same data set; empty for the first of them."""
        return "" if self.experiment.first_with_data(model) == model else model

    def _dataset(self, model: str) -> str:
        """nnU-Net's name for a model's data set."""
        return dataset_name(self._number(model), self.experiment.first_with_data(model))

    def raw_folder(self, model: str) -> Path:
        """The folder of a model's data set in nnU-Net's raw folder."""
        return Path("nnUNet_raw", self._dataset(model))

    def model_folder(self, model: str) -> Path:
        """The folder in which nnU-Net puts a model."""
        plan = self.experiment.training_of(model).plan
        return model_folder(Path(), self._dataset(model), plan, self._variant(model))
