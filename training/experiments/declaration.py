"""The declaration of an experiment: cohorts, their slicing, the models trained on them, and the comparisons."""

from pathlib import Path
from typing import Literal

import msgspec

from inference.errors import FormatError, NotFoundError
from training.experiments import FOLDER, known
from training.nnunet.settings import TrainingSettings, current_names
from training.simulation.parameters import CohortKind


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a declaration; unknown keys are refused."""


class Simulated(_Part, frozen=True):
    """A cohort to simulate, with the arguments of `ius-train simulate`; `label_error` None writes no MRI."""

    cohort: CohortKind
    patients: int
    seed: int
    label_error: Literal["none", "low", "high"] | None = None
    small: bool = False


class Cohort(_Part, frozen=True):
    """Patients with labels of one origin.

    Attributes:
        labels: `us`, or `mri` to register the MRI and transfer its labels first.
        simulate: how to simulate it; None for real cases.
        cases: path of the case table, relative to the working folder; None for simulated cases.
        metric: metric of the registration; the paper's is lc2.
        refine: what follows the rigid registration; the paper's is none.
        mri: which MRI of simulated patients to register.
        slicing: how to cut it, if not by the experiment's `slicing`.
    """

    labels: Literal["us", "mri"]
    simulate: Simulated | None = None
    cases: str | None = None
    metric: Literal["lc2+mind", "lc2", "mind", "none"] = "lc2+mind"
    refine: Literal["none", "affine", "deformable"] = "none"
    mri: Literal["flair", "ce-t1", "both"] = "both"
    slicing: dict[str, object] = {}


class Slicing(_Part, frozen=True):
    """How to cut all cohorts, with the arguments of `ius-train slice`; without `every_frame`, sweeps are left out."""

    step_mm: float = 0.0
    every_frame: int | None = None
    negatives: int = 0
    slicing: Literal["isotropic", "native", "as-published"] = "isotropic"


class Training(TrainingSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to train models: the settings of `ius-train fit`, and the folds.

    The default is no workers, so that a training can be repeated bit for bit on the same machine.
    """

    folds: tuple[int, ...] = (0, 1, 2, 3, 4)
    workers: int = 0

    @property
    def options(self) -> dict[str, object]:
        """The settings as options of `ius-train fit`."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if name != "folds"}


class Model(_Part, frozen=True):
    """One model and the data it learns from.

    Attributes:
        cohorts: their names.
        min_area: cut-off in mm²; slices with a larger tumour are used.
        negatives: whether it also learns from tumour-free slices.
        exclude: list of cases left out (CSV: case, reason), seen from the working folder.
        folds: if not those of `training`.
        training: what is different from the experiment's `training` for this model.
        starts_from: another model of this experiment; the training starts from its exported weights.
    """

    cohorts: tuple[str, ...]
    min_area: float = 0.0
    negatives: bool = False
    exclude: str | None = None
    folds: tuple[int, ...] | None = None
    training: dict[str, object] = {}
    starts_from: str | None = None

    @property
    def data(self) -> tuple[object, ...]:
        """The choice of training slices; models with the same choice share a data set."""
        return self.cohorts, self.min_area, self.negatives, self.exclude


class Annotator(_Part, frozen=True):
    """A second set of masks of a cohort, scored like a model: a folder in RESECT-SEG's layout beside the cohort."""

    cohort: str
    folder: str


class Comparison(_Part, frozen=True):
    """Models compared on cohorts.

    Attributes:
        models: names in the report -> models; the part of a name after a space is its series.
        each_fold: score the folds one by one, instead of their ensemble.
        test: cohorts to predict, every slice.
        data: the data, in words.
        note: what a reader has to know about the protocol.
        choose_on: cohorts to choose the best model on, before it is scored on `test`.
        annotators: names in the report -> second annotators.
    """

    models: dict[str, str]
    test: tuple[str, ...]
    data: str
    note: str = ""
    choose_on: tuple[str, ...] = ()
    each_fold: bool = False
    annotators: dict[str, Annotator] = {}


class Export(_Part, frozen=True):
    """A model to export with its measured scores in fast and thorough mode.

    Attributes:
        model: which one; its folds, fused if there are several.
        name: the name that screens show.
        comparison: the comparison whose one test cohort the scores are measured on, and whose `data` describes it.
        version: version of the model.
        baseline: cohort to tune a threshold on, which is scored beside the model.
        certainty: cohort on which to measure what its probability is worth; left out of a trial run.
        certainty_data: that cohort in words, as screens quote it; needed with it.
    """

    model: str
    name: str
    comparison: str
    version: str = "1"
    baseline: str | None = None
    certainty: str | None = None
    certainty_data: str | None = None


class Experiment(_Part, frozen=True):
    """A whole experiment; `small` holds the changes for a trial run of minutes, in the same form.

    `mode` is how every model predicts: thorough as in the paper and by nnU-Net's default, over all mirrors, or fast.
    """

    title: str
    simulated: bool
    cohorts: dict[str, Cohort]
    models: dict[str, Model]
    comparisons: dict[str, Comparison]
    exports: dict[str, Export] = {}
    slicing: Slicing = Slicing()
    training: Training = Training()
    mode: Literal["fast", "thorough"] = "thorough"
    seed: int = 0
    small: dict[str, object] = {}

    def slicing_of(self, cohort: str) -> Slicing:
        """How to cut one cohort."""
        return msgspec.convert(msgspec.to_builtins(self.slicing) | self.cohorts[cohort].slicing, Slicing)

    def folds(self, model: str) -> tuple[int, ...]:
        """The folds of one model to train."""
        return self.models[model].folds or self.training_of(model).folds

    def training_of(self, model: str) -> Training:
        """How to train one model."""
        own = current_names(self.models[model].training)
        return msgspec.convert(msgspec.to_builtins(self.training) | own, Training)

    @property
    def predicts_boxes(self) -> bool:
        """Whether boxes are predicted too, by all models, so that those of masks stand beside a head's."""
        return any(self.training_of(model).box_weight > 0 for model in self.models)

    def first_with_data(self, model: str) -> str:
        """The first model that learns from the same slices; these models share one preprocessed data set of nnU-Net."""
        return next(name for name, one in self.models.items() if one.data == self.models[model].data)

    @property
    def training_cohorts(self) -> list[str]:
        """Cohorts that any model learns from."""
        used = {name for model in self.models.values() for name in model.cohorts}
        return [name for name in self.cohorts if name in used]

    @property
    def test_cohorts(self) -> list[str]:
        """Cohorts that any model is scored on."""
        used = {name for one in self.comparisons.values() for name in (*one.test, *one.choose_on)}
        return [name for name in self.cohorts if name in used]

    def learnt(self, model: str) -> list[str]:
        """The cohorts that a model learnt from, those of the models that it goes on from included."""
        names, now = list(self.models[model].cohorts), self.models[model].starts_from
        while now is not None:
            names, now = [*names, *self.models[now].cohorts], self.models[now].starts_from
        return list(dict.fromkeys(names))

    def tests_of(self, model: str) -> list[str]:
        """Cohorts that one model predicts."""
        compared = [one for one in self.comparisons.values() if model in one.models.values()]
        used = {name for one in compared for name in (*one.test, *one.choose_on)}
        return [name for name in self.cohorts if name in used]

    def scored(self, comparison: str, model: str) -> list[str]:
        """The predictions of a model that a comparison scores: each fold's, or `all` for all folds together."""
        return [str(fold) for fold in self.folds(model)] if self.comparisons[comparison].each_fold else ["all"]


def find_experiment(name: str) -> Path:
    """The file of an experiment, given by name or path.

    Raises:
        NotFoundError: if there is none.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise NotFoundError(f"There is no experiment {name}: choose {known()}, or name a YAML file.")
    return path


def read_experiment(path: Path, *, small: bool = False) -> Experiment:
    """Read a declaration.

    Args:
        path: the YAML file; with `extends: NAME` it holds only what is different from that one.
        small: whether to apply its `small` part.

    Raises:
        FormatError: naming the wrong key or the undeclared name.
        NotFoundError: if there is no such file to extend.
    """
    import yaml

    try:
        content = _extended(yaml.safe_load(path.read_text(encoding="utf-8")), path)
        if small and isinstance(content, dict):
            content = _merged(content, content.get("small") or {})
        if isinstance(content, dict) and isinstance(content.get("training"), dict):
            content = content | {"training": current_names(content["training"])}
        experiment = msgspec.convert(content, Experiment)
        for model in experiment.models:
            experiment.training_of(model)
        for cohort in experiment.cohorts:
            experiment.slicing_of(cohort)
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise FormatError(f"{path} is not the declaration of an experiment: {reason}.") from error
    _check_names(experiment, path)
    return experiment


def _extended(content: object, path: Path) -> object:
    """What a declaration leaves unsaid is as in the one that it `extends`: a name, or a YAML file beside it."""
    import yaml

    if not isinstance(content, dict) or "extends" not in content:
        return content
    name, changes = str(content["extends"]), {key: value for key, value in content.items() if key != "extends"}
    file = find_experiment(str(path.parent / name) if name.endswith((".yaml", ".yml")) else name)
    base = yaml.safe_load(file.read_text(encoding="utf-8"))
    return _merged(base, changes) if isinstance(base, dict) else base


def _merged(base: dict[str, object], changes: dict[str, object]) -> dict[str, object]:
    """`base` with `changes` applied, part by part; null removes a part."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return {key: value for key, value in merged.items() if value is not None}


def _check_names(experiment: Experiment, path: Path) -> None:
    """Refuse undeclared names, and cohorts without exactly one source."""
    compared = experiment.comparisons.values()
    models = {name for one in compared for name in one.models.values()}
    models |= {model.starts_from for model in experiment.models.values() if model.starts_from}
    models |= {one.model for one in experiment.exports.values()}
    cohorts = {name for model in experiment.models.values() for name in model.cohorts}
    cohorts |= {name for one in compared for name in (*one.test, *one.choose_on)}
    cohorts |= {annotator.cohort for one in compared for annotator in one.annotators.values()}
    exported = experiment.exports.values()
    cohorts |= {name for one in exported for name in (one.baseline, one.certainty) if name is not None}
    unknown = next(iter(sorted(models - set(experiment.models)) + sorted(cohorts - set(experiment.cohorts))), None)
    if unknown is not None:
        raise FormatError(f"{path} uses {unknown} and does not declare it.")
    for name, cohort in experiment.cohorts.items():
        if (cohort.simulate is None) == (cohort.cases is None):
            raise FormatError(f"{path}: the cohort {name} needs either 'simulate' or 'cases'.")
        if experiment.simulated != (cohort.simulate is not None):
            raise FormatError(f"{path} mixes simulated and real patients ({name}): declare two experiments.")
    _check_starts(experiment, path)
    _check_exports(experiment, path)
    for one in compared:
        learnt = {name for model in one.models.values() for name in experiment.learnt(model)}
        if mixed := sorted(learnt & {*one.test, *one.choose_on}):
            raise FormatError(f"{path} scores a model on {mixed[0]}, which it was trained on.")
        if both := sorted({*one.test} & {*one.choose_on}):
            raise FormatError(f"{path} chooses a model on {both[0]} and tests the choice there: take it out of one.")


def _check_starts(experiment: Experiment, path: Path) -> None:
    """Refuse a model that would start from itself."""
    for name, model in experiment.models.items():
        seen, before = {name}, model.starts_from
        while before is not None:
            if before in seen:
                raise FormatError(f"{path}: the model {name} would start from itself.")
            seen.add(before)
            before = experiment.models[before].starts_from


def _check_exports(experiment: Experiment, path: Path) -> None:
    """Refuse an export whose scores are not on one cohort of patients that its model never saw."""
    for name, one in experiment.exports.items():
        compared = experiment.comparisons.get(one.comparison)
        if compared is None or one.model not in compared.models.values() or len(compared.test) != 1:
            raise FormatError(f"{path}: the export {name} needs a comparison of its model on one cohort of its own.")
        if (one.certainty is None) != (one.certainty_data is None):
            raise FormatError(f"{path}: the certainty of {name} needs a cohort and 'certainty_data', its words.")
        if one.baseline in compared.test:
            raise FormatError(f"{path}: the threshold of {name} would be tuned on {one.baseline}, its test.")
        if one.certainty in {*experiment.learnt(one.model), *compared.test}:
            raise FormatError(f"{path}: {name} knows {one.certainty} from training or test: give certainty another.")
        if experiment.mode != "fast":
            raise FormatError(f"{path}: {name} is scored in the fast mode too, so the comparisons need 'mode: fast'.")
