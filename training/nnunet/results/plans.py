"""Reads plans.json and dataset.json for the exporter: nnU-Net itself updates them, then they are read strictly.

A plan names classes that nnU-Net imports and calls: only those of its two U-Nets and the transformer are let through.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from inference.contract import CAVITY
from inference.errors import ModelError
from training.nnunet import transformer
from training.nnunet.claims import DIGEST

IGNORE = "ignore"
"""nnU-Net's ignore label; the network has no output for it."""
CONFIGURATION = "2d"
"""The name of the one configuration in `up_to_date` plans, whatever its name was."""
Side = Annotated[int, Meta(ge=1, le=4096)]
Millimetres = Annotated[float, Meta(gt=0)]

_NETWORKS = "dynamic_network_architectures.architectures.unet"
_MOVED = {"dynamic_network_architectures.architectures.residual_unet.ResidualEncoderUNet"}
"""The old path of a class that has moved, still written by nnU-Net when it updates old plans."""
_CALLED = {
    "dynamic_network_architectures.architectures.unet.PlainConvUNet",
    "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet",
    transformer.CLASS,
    "torch.nn.modules.conv.Conv2d",
    "torch.nn.Conv2d",
    "torch.nn.modules.instancenorm.InstanceNorm2d",
    "torch.nn.InstanceNorm2d",
    "torch.nn.modules.activation.LeakyReLU",
    "torch.nn.LeakyReLU",
    None,
}
_SCALELESS = ("NaturalImage2DIO", "Tiff3DIO")
"""nnU-Net's readers of pictures, which know no scale."""
_PICTURES = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")
_MALFORMED = (KeyError, TypeError, AttributeError, ValueError, IndexError, RuntimeError, RecursionError)


class Resampling(msgspec.Struct, frozen=True):
    """How nnU-Net resamples."""

    is_seg: bool
    order: int
    order_z: int


class Architecture(msgspec.Struct, frozen=True):
    """The network: a class and its arguments; those in `imported` are given by name."""

    network_class_name: str
    arch_kwargs: dict[str, Any]
    imported: tuple[str, ...] = msgspec.field(name="_kw_requires_import")


class Plan(msgspec.Struct, frozen=True):
    """The 2D configuration in the form of current nnU-Net."""

    patch_size: tuple[Side, Side]
    spacing: tuple[Millimetres, Millimetres]
    normalization_schemes: tuple[str, ...]
    use_mask_for_norm: tuple[bool, ...]
    preprocessor_name: str
    resampling_fn_data: str
    resampling_fn_data_kwargs: Resampling
    resampling_fn_probabilities: str
    resampling_fn_probabilities_kwargs: Resampling
    architecture: Architecture


def up_to_date(plans: dict[str, Any], configuration: str, path: Path) -> dict[str, Any]:
    """Update plans to the form of current nnU-Net, with one configuration, called `2d`.

    Args:
        plans: plans.json of any nnU-Net v2; before 2.3 other fields described the network.
        configuration: the one that was trained.
        path: the model, for error messages.

    Raises:
        ModelError: if nnU-Net cannot read the plans, or the configuration is not a 2D one.
    """
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    names = list(plans["configurations"]) if isinstance(plans.get("configurations"), dict) else []
    if configuration not in names:
        raise ModelError(f"{path} has no configuration {configuration!r}, only {', '.join(names) or 'none'}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # nnU-Net warns that old plans are old
            one: dict[str, Any] = PlansManager(plans).get_configuration(configuration).configuration
        axes = len(one["patch_size"])
        if one["architecture"]["network_class_name"] in _MOVED:
            one["architecture"]["network_class_name"] = f"{_NETWORKS}.ResidualEncoderUNet"
    except _MALFORMED as error:
        raise ModelError(f"{path / 'plans.json'} is no plan that nnU-Net reads ({_words(error)}).") from error
    if axes != 2:
        raise ModelError(f"{path} is a 3D model ({configuration}), and the viewer shows 2D pictures: export a 2D one.")
    one.pop("inherits_from", None)  # it is resolved now, and its parent may have the configuration's new name
    return {**plans, "configurations": {CONFIGURATION: one}}


def in_millimetres(
    plans: dict[str, Any],
    dataset: dict[str, Any],
    spacing_mm: tuple[float, float] | None,
    path: Path,
    fingerprint: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Plans with the spacing in mm, even if the training pictures state no scale.

    For PNG, JPEG and TIFF, which state no scale, nnU-Net writes a spacing of 1, meaning one pixel, and so does whatever
    turns them into NIfTI. A network that is fed pixels of 1 mm because of it sees everything several times too small.

    Args:
        plans: the plans that `up_to_date` returned.
        dataset: dataset.json.
        spacing_mm: (row, col) mm of a pixel of the training pictures, from the user; None if not given.
        path: the model, for error messages.
        fingerprint: dataset_fingerprint.json; None or empty if there is none.

    Raises:
        ModelError: if the scale is unknown, or if it is given although the plans state it.
    """
    if not (_counts_pixels(plans, dataset) or _all_of_one(plans, dataset, fingerprint or {})):
        if spacing_mm is not None:
            raise ModelError(f"{path} states its spacing in mm itself: leave --spacing out.")
        return plans
    if spacing_mm is None:
        raise ModelError(
            f"{path} was trained on pictures that state no scale, so that its spacing counts pixels: say how large a "
            "pixel of them was, --spacing ROW,COL in mm (1,1 if they really were of 1 mm)."
        )
    one = plans["configurations"][CONFIGURATION]
    turned = spacing_mm[::-1] if plans.get("transpose_forward") == [0, 2, 1] else spacing_mm
    known = [float(stated) * mm for stated, mm in zip(one["spacing"], turned, strict=True)]
    medians = list(plans.get("original_median_spacing_after_transp", []))
    if len(medians) == 3:
        medians[1:] = [float(stated) * mm for stated, mm in zip(medians[1:], turned, strict=True)]
    return {
        **plans,
        "original_median_spacing_after_transp": medians,
        "configurations": {CONFIGURATION: {**one, "spacing": known}},
    }


def _counts_pixels(plans: dict[str, Any], dataset: dict[str, Any]) -> bool:
    """Whether nnU-Net read the pictures with a reader that knows no scale."""
    reader = str(dataset.get("overwrite_image_reader_writer") or plans.get("image_reader_writer") or "")
    ending = str(dataset.get("file_ending") or "").lower()
    return reader in _SCALELESS or ending in _PICTURES


def _all_of_one(plans: dict[str, Any], dataset: dict[str, Any], fingerprint: Mapping[str, Any]) -> bool:
    """Whether every picture has pixels of exactly 1 mm: what a NIfTI has of which nobody said how large its pixels are.

    Slices of `ius-train slice` were cut from volumes or frames whose scale is known.
    """
    stated = fingerprint.get("spacings")
    spacings = stated if isinstance(stated, list) and stated else [plans.get("original_median_spacing_after_transp")]
    return DIGEST not in dataset and all(isinstance(one, list) and one[1:] == [1, 1] for one in spacings)


def read_plan(plans: dict[str, Any], dataset: dict[str, Any], path: Path) -> Plan:
    """The 2D configuration of `up_to_date` plans, if `inference.model.preprocessing` reproduces it.

    Raises:
        ModelError: naming the part that is missing or not reproduced.
    """
    _check_dataset(dataset, path)
    try:
        plan = msgspec.convert(plans["configurations"][CONFIGURATION], Plan)
    except msgspec.ValidationError as error:
        raise ModelError(f"{path / 'plans.json'} is no plan that nnU-Net reads ({error}).") from error
    _check_calls(plan.architecture, path)
    _check_recipe(plans, plan, path)
    return plan


def strides(plan: Plan) -> list[list[int]]:
    """The factors by which each stage of the network shrinks its input, (rows, cols)."""
    found: list[list[int]] = plan.architecture.arch_kwargs["strides"]
    return found


def shown_labels(dataset: dict[str, Any]) -> dict[str, int]:
    """The labels that the network tells apart, by name: those of dataset.json without the ignore label."""
    return {str(name): int(value) for name, value in dataset["labels"].items() if name != IGNORE}


def channels(dataset: dict[str, Any]) -> dict[str, str]:
    """The channel names in dataset.json, which nnU-Net used to call modalities."""
    names: dict[str, str] = dataset.get("channel_names") or dataset.get("modality") or {}
    return names


def _check_dataset(dataset: dict[str, Any], path: Path) -> None:
    """Refuse a data set with more than one input channel, or another label than the tumour and maybe a cavity."""
    names, labels = channels(dataset), dataset.get("labels")
    if not isinstance(names, dict) or not isinstance(labels, dict) or not names:
        raise ModelError(f"{path / 'dataset.json'} does not name its channels and labels: copy it again.")
    if len(names) != 1:
        listed = ", ".join(map(str, names.values()))
        raise ModelError(f"{path} wants {len(names)} channels ({listed}), and an ultrasound picture has one.")
    if "regions_class_order" in dataset or any(isinstance(value, list | dict) for value in labels.values()):
        raise ModelError(f"{path} segments overlapping regions: train it with background and one tumour label.")
    values = sorted(str(value) for name, value in labels.items() if name not in (IGNORE, CAVITY))
    if values != ["0", "1"] or str(labels.get("background")) != "0" or str(labels.get(CAVITY, 2)) != "2":
        listed = ", ".join(map(str, labels))
        raise ModelError(
            f"{path} has the labels {listed}: only background (0), one tumour (1) and a cavity (2) can be shown."
        )


def _check_calls(architecture: Architecture, path: Path) -> None:
    """Refuse a plan that would make nnU-Net import or call anything but the three networks and their layers."""
    named = [architecture.arch_kwargs.get(key) for key in architecture.imported]
    for name in [architecture.network_class_name, *named]:
        if not isinstance(name, str | None) or name not in _CALLED:
            raise ModelError(
                f"{path} is built from {name!r}: "
                "only PlainConvUNet, ResidualEncoderUNet and SwinUNETR2D can be exported."
            )


def _check_recipe(plans: dict[str, Any], plan: Plan, path: Path) -> None:
    """Refuse a recipe that `inference.model.preprocessing` does not reproduce."""
    pictures, logits = plan.resampling_fn_data_kwargs, plan.resampling_fn_probabilities_kwargs
    resampling = {plan.resampling_fn_data, plan.resampling_fn_probabilities}
    order = plans.get("transpose_forward")
    demands = {
        "z-score normalisation": plan.normalization_schemes == ("ZScoreNormalization",),
        "one choice of use_mask_for_norm": len(plan.use_mask_for_norm) == 1,
        "nnU-Net's default preprocessor": plan.preprocessor_name == "DefaultPreprocessor",
        "nnU-Net's default label manager": plans.get("label_manager", "LabelManager") == "LabelManager",
        "nnU-Net's default resampling": resampling == {"resample_data_or_seg_to_shape"},
        "order 3 for pictures": pictures == Resampling(is_seg=False, order=3, order_z=0),
        "order 1 for logits": logits == Resampling(is_seg=False, order=1, order_z=0),
        "axes in an order that keeps slices whole": order in ([0, 1, 2], [0, 2, 1]),
        "axes put back in their order": plans.get("transpose_backward") == order,
        "pictures read as they are stored": not str(plans.get("image_reader_writer")).endswith("Reorient"),
        "pictures of one slice, since the grey values of a volume are normalised as a whole": _flat(plans),
    }
    for demand, met in demands.items():
        if not met:
            raise ModelError(f"{path} cannot be exported: its recipe must have {demand}.")


def _flat(plans: dict[str, Any]) -> bool:
    """Whether the training pictures were slices; plans that do not tell are taken for such."""
    shape = plans.get("original_median_shape_after_transp")
    slices = shape[0] if isinstance(shape, list) and len(shape) == 3 else 1
    return not isinstance(slices, int | float) or slices <= 1


def _words(error: BaseException) -> str:
    """An error in one line."""
    return f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0]
