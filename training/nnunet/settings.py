"""The settings of a training, in their only list.

The command line (`ius-train fit`), an experiment's YAML, the workflow and nnU-Net's trainer all derive from it. To add
a setting, add one field here and, if it needs code of its own, that code to the trainer.
"""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from training.nnunet.losses import LOSSES, NNUNET
from training.nnunet.names import PLANS, model_folder, plans_name

Fold = int | Literal["all"]
Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0, le=sys.float_info.max)]
Weight = Annotated[float, Meta(ge=0, le=sys.float_info.max)]
ShareBelowOne = Annotated[float, Meta(ge=0, lt=1)]


def _setting(
    words: str,
    *,
    metavar: str | None = None,
    choices: Collection[str] = (),
    trainer: str | None = None,
    learns: str | None = None,
) -> Meta:
    """The facts about a setting other than its type; see `Setting`."""
    known = {"metavar": metavar, "choices": tuple(choices), "trainer": trainer, "learns": learns}
    return Meta(description=words, extra=known)


class TrainingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is trained, on any of its folds; None keeps nnU-Net's own value.

    The words of each field are its text in `ius-train fit --help`.
    """

    plan: Annotated[
        str,
        _setting(
            "full is nnU-Net's own, resenc-m, -l and -xl its residual encoders for GPUs of 9 to 40 GB; the others are "
            "named deviations: swin-unetr is a transformer, realtime for a CPU",
            choices=PLANS,
        ),
    ] = "full"
    epochs: Annotated[
        Count | None, _setting("length of the learning-rate schedule (nnU-Net: 1000)", trainer="num_epochs")
    ] = None
    iterations: Annotated[
        Count | None,
        _setting("training batches an epoch (nnU-Net: 250)", trainer="num_iterations_per_epoch"),
    ] = None
    val_iterations: Annotated[
        Count | None,
        _setting("validation batches an epoch (nnU-Net: 50)", trainer="num_val_iterations_per_epoch"),
    ] = None
    batch_size: Annotated[Count | None, _setting("slices a batch (planned by nnU-Net)")] = None
    patience: Annotated[
        Annotated[int, Meta(ge=0)] | None, _setting("epochs without a lower validation loss before stopping (30)")
    ] = None
    learning_rate: Annotated[
        Positive | None,
        _setting("at the first epoch (nnU-Net: 0.01)", metavar="RATE", trainer="initial_lr", learns="learning rate"),
    ] = None
    optimizer: Annotated[
        Literal["sgd", "adamw"] | None,
        _setting(
            "adamw begins at a rate of 0.0003 unless another is given (nnU-Net: sgd; the transformer: adamw)",
            choices=("sgd", "adamw"),
            trainer="optimizer_name",
            learns="optimizer",
        ),
    ] = None
    loss: Annotated[
        str,
        _setting(
            "nnunet is nnU-Net's own, the others stand in training/nnunet/losses",
            choices=LOSSES,
            trainer="loss_name",
            learns="loss",
        ),
    ] = NNUNET
    tumour_free: Annotated[
        ShareBelowOne | None,
        _setting(
            "of tumour-free slices among those drawn (all slices alike)",
            metavar="SHARE",
            trainer="tumour_free",
            learns="tumour-free",
        ),
    ] = None
    small_tumours: Annotated[
        Count,
        _setting(
            "times that a slice with 200 mm² of tumour or less is drawn for each time of a larger one",
            metavar="N",
            trainer="small_tumours",
            learns="small tumours",
        ),
    ] = 1
    box_weight: Annotated[
        Weight,
        _setting(
            "of the loss of boxes, which a head beside the decoder learns for 'predict --boxes'; masks need none of it",
            metavar="WEIGHT",
            trainer="box_weight",
            learns="box weight",
        ),
    ] = 0.0
    consistency: Annotated[
        Weight,
        _setting(
            "of the loss of masks that change with a picture's noise alone; a batch then takes twice as long",
            metavar="WEIGHT",
            trainer="consistency",
            learns="consistency",
        ),
    ] = 0.0
    start: Annotated[
        str | None,
        _setting(
            "start from an exported .onnx of the same network, or from what fits of a checkpoint or state_dict of "
            "torch's, which is said layer by layer",
            metavar="FILE",
            learns="start",
        ),
    ] = None
    start_share: Annotated[
        Annotated[float, Meta(ge=0, le=1)],
        _setting(
            "of the encoder's weights that a checkpoint of torch's has to fit, 0 to 1",
            metavar="SHARE",
            trainer="start_share",
        ),
    ] = 0.5
    bfloat16: Annotated[
        bool, _setting("train in bfloat16 where the processor has it: twice as fast", trainer="bfloat16")
    ] = False
    tensorboard: Annotated[
        bool, _setting("write each epoch's figures for TensorBoard too, beside progress.csv", trainer="tensorboard")
    ] = False
    device: Annotated[str, _setting("cpu, cuda or mps")] = "cpu"
    gpus: Annotated[Count, _setting("GPUs of one training, with device cuda", metavar="N")] = 1
    workers: Annotated[
        Annotated[int, Meta(ge=0)], _setting("processes that augment; 0 augments in the training's own")
    ] = 1

    def __post_init__(self) -> None:
        """Refuse a plan or a loss that does not exist."""
        for kind, name, known in (("plan", self.plan, PLANS), ("loss", self.loss, LOSSES)):
            if name not in known:
                raise ValueError(f"it names the {kind} {name}: choose {', '.join(known)}")


class FitSettings(TrainingSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one fold's training."""

    variant: Annotated[
        str, _setting("name of another way to learn the same plan from the same slices", metavar="NAME")
    ] = ""
    fold: Annotated[Fold, _setting("0 to 4, or all for training on everything")] = 0
    jobs: Annotated[Count, _setting("processes that preprocess")] = 2
    seed: Annotated[int, _setting("of the folds and the training; augmentation repeats itself with workers 0 only")] = 0

    @property
    def plans(self) -> str:
        """The plans' name in nnU-Net's folders."""
        return plans_name(self.plan, self.variant)

    def folder(self, work: Path, dataset: str) -> Path:
        """The folder of this fold's checkpoints."""
        return model_folder(work, dataset, self.plan, self.variant) / f"fold_{self.fold}"


@dataclass(frozen=True, slots=True)
class Setting:
    """The facts about one setting.

    Attributes:
        type: its type, annotated with its limits, as msgspec reads it.
        default: its value if none is given.
        words: what it does.
        metavar: the name of a value in the help; None for the setting's own name.
        choices: its allowed values; empty if any value of the type is allowed.
        trainer: the trainer's attribute that takes its value; None if it is used elsewhere.
        learns: its name in learning.txt, if another value means another way of learning.
    """

    type: Any
    default: Any
    words: str
    metavar: str | None
    choices: tuple[str, ...]
    trainer: str | None
    learns: str | None


def all_settings() -> dict[str, Setting]:
    """All settings of a fold's training by name, in the order of the fields."""
    hints = get_type_hints(FitSettings, include_extras=True)
    found = {}
    for field in msgspec.structs.fields(FitSettings):
        *_, meta = hints[field.name].__metadata__  # it follows the limits, if there are any
        found[field.name] = Setting(hints[field.name], field.default, meta.description, **meta.extra)
    return found


def current_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from declarations and working folders of earlier versions, under their current names."""
    renamed = dict(settings)
    if renamed.pop("slice_dice", None):
        renamed["loss"] = "slice-dice"
    return renamed
