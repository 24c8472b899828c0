"""Predicts with nnU-Net's own predictor, using one fold or several as an ensemble."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from inference.contract import Mode
from inference.errors import NotFoundError
from training.io.progress import Bar
from training.nnunet.boxes import KEY
from training.nnunet.boxes import table as boxes
from training.nnunet.claims import claim
from training.nnunet.device import check_device
from training.nnunet.names import CONFIGURATION
from training.nnunet.predicted import add, pictures_of, unpredicted
from training.nnunet.settings import Fold
from training.slicing.slices import write_slice

if TYPE_CHECKING:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    from training.nnunet.results.checkpoint import Weights


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """Some folds, each file of theirs read once: one that is trained further meanwhile is another checkpoint.

    Attributes:
        predictor: nnU-Net's own.
        checkpoints: path -> sha256 of the bytes that were loaded.
        heads: each fold's box head, None where it has none.
    """

    predictor: "nnUNetPredictor"
    checkpoints: Mapping[Path, str]
    heads: "Sequence[Weights | None]"


def load_folds(
    model: Path, folds: Sequence[Fold], checkpoint: str = "best", device: str = "cpu", mode: Mode = Mode.FAST
) -> Loaded:
    """nnU-Net's own predictor for some folds, with Gaussian tiles at half steps.

    Args:
        model: the folder that holds plans.json, dataset.json and fold_N.
        folds: the folds whose logits are averaged.
        checkpoint: `best` or `final`.
        device: `cpu`, `cuda` or `mps`.
        mode: thorough averages over all mirrors that the training allowed, as nnU-Net does by default.

    Raises:
        NotFoundError: if a file of the model is missing.
        ModelError: if a fold is named twice, or a checkpoint is damaged.
    """
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    from training.nnunet.results.checkpoint import demand_once, read_hashed

    check_device(device)
    demand_once(folds)
    weights_files = checkpoint_files(model, folds, checkpoint)
    for path in (model / "plans.json", model / "dataset.json", *weights_files):
        if not path.is_file():
            raise NotFoundError(f"{model} is not a trained nnU-Net model: {path.name} is missing.")
    plans, dataset = (
        PlansManager(str(model / "plans.json")),
        json.loads((model / "dataset.json").read_text(encoding="utf-8")),
    )
    configuration = plans.get_configuration(CONFIGURATION)
    network = get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        1,
        plans.get_label_manager(dataset).num_segmentation_heads,
        deep_supervision=False,
    ).to(device)
    read = {path: read_hashed(path) for path in weights_files}
    checkpoints = [read[path][0] for path in weights_files]
    weights = [one["network_weights"] for one in checkpoints]
    axes = checkpoints[0].get("inference_allowed_mirroring_axes")
    network.load_state_dict(weights[0])
    network.eval()
    mirrored = mode is Mode.THOROUGH and bool(axes)
    predictor = nnUNetPredictor(use_mirroring=mirrored, device=torch.device(device), allow_tqdm=False)
    predictor.manual_initialization(network, plans, configuration, weights, dataset, "", axes if mirrored else None)
    digests = {path: digest for path, (_, digest) in read.items()}
    return Loaded(predictor, digests, [one.get(KEY) for one in checkpoints])


def checkpoint_files(model: Path, folds: Sequence[Fold], checkpoint: str = "best") -> list[Path]:
    """The checkpoint files of some folds."""
    return [model / f"fold_{fold}" / f"checkpoint_{checkpoint}.pth" for fold in folds]


def predict_slices(
    model: Path,
    stores: Sequence[Path],
    out: Path,
    *,
    folds: Sequence[Fold] = (0,),
    checkpoint: str = "best",
    device: str = "cpu",
    mode: Mode = Mode.THOROUGH,
    with_boxes: bool = False,
    begun: Callable[[bool, Mapping[Path, str]], None] = lambda *_: None,
) -> tuple[bool, Mapping[Path, str]]:
    """Predict every single slice of the stores into `out/NAME.nii.gz`; masks of the same pictures are kept.

    With `with_boxes`, `out/boxes.csv` gets the boxes of the masks, and of the model's box head if it has one.
    `begun` is called with what is returned, once the folder is known to be this model's, before its first mask.

    Returns:
        Whether only the largest region of each mask was kept, as `ius-train postprocess` chose for the model, and the
        checkpoints that predicted: path -> sha256.

    Raises:
        FormatError: if `out` holds other predictions, or two stores hold different slices of one name.
    """
    from training.nnunet.boxes.predict import detector, found_in
    from training.nnunet.results.files import find_model
    from training.nnunet.results.postprocessing import keeps_largest

    images = pictures_of(stores)
    loaded = load_folds(model, folds, checkpoint, device, mode)
    largest = keeps_largest(find_model(model), None)
    ways = {"largest region": largest, str(mode): mode is Mode.THOROUGH, "boxes": with_boxes}
    made_from = [*loaded.checkpoints.values(), *(words for words, holds in ways.items() if holds)]
    claim(out / "made.from", "\n".join(made_from), "checkpoint's or mode's predictions, or such without boxes")
    begun(largest, loaded.checkpoints)
    find = partial(found_in, detector(loaded.predictor, loaded.heads)) if with_boxes else None
    predict_images(loaded.predictor, images, out, largest=largest, find=find)
    return largest, loaded.checkpoints


def predict_images(
    predictor: "nnUNetPredictor",
    images: Mapping[str, Path],
    out: Path,
    *,
    largest: bool = False,
    find: Callable[..., dict[str, boxes.Found]] | None = None,
) -> None:
    """Predict images by name into `out/NAME.nii.gz`, with their boxes; masks of the same pictures are kept."""
    import numpy as np
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO

    from training.nnunet.results.postprocessing import largest_component

    for name, path in Bar(unpredicted(images, out).items(), desc="predict", unit="slice"):
        pixels, properties = SimpleITKIO().read_images([str(path)])
        spacing = tuple(properties["spacing"])
        answer = predictor.predict_single_npy_array(pixels, properties, save_or_return_probabilities=find is not None)
        labels = answer if find is None else answer[0]
        mask = labels[0].astype(np.uint8)
        mask = largest_component(mask) if largest else mask
        write_slice(mask, spacing[1:], out / f"{name}.nii.gz")
        if find is not None:
            boxes.add(name, path, find(pixels, spacing, mask, answer[1]), out)
        add(name, path, out)
