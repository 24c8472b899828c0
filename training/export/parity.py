"""Parity: checks, slice by slice, that an exported file gives the same masks as nnU-Net's own predictor."""

import contextlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed

import numpy as np
import torch
from numpy.typing import NDArray

from inference.contract import Mode, Parity, ParityBand
from inference.dice import agreement
from inference.errors import ModelError
from inference.frame import Pixels
from inference.model.engine import Engine
from inference.model.preprocessing import prepare
from inference.model.segmentation import labels_of
from training.export.network import build_network
from training.export.samples import Sample
from training.io.progress import Bar
from training.nnunet.results.checkpoint import Trained
from training.nnunet.results.plans import CONFIGURATION
from training.nnunet.results.postprocessing import largest_component
from training.slicing.size_bands import BANDS

_LIBRARIES = ("nnunetv2", "torch", "onnx", "numpy", "opencv-python-headless", "scipy")
_FAKE_MM = 999.0
"""The slice spacing that nnU-Net's reader gives a 2D picture: so large that nnU-Net never resamples along it."""
MAX_PIXELS_ONE_TILE = 1
"""One pixel may differ: logits that differ in the last bit of a convolution can round to different values."""
MIN_IDENTICAL = 0.95
MAX_PIXELS_TILED = 2
MAX_SHARE_TILED = 0.001


Mask = NDArray[np.uint8]


class Reference:
    """nnU-Net's own predictor and preprocessing: Gaussian tiles at half steps, float32 on the CPU.

    Args:
        trained: plans, data set and the weights of one or several folds.
        mode: without mirroring, or over all mirrors that the training allowed.
    """

    def __init__(self, trained: Trained, mode: Mode = Mode.FAST) -> None:
        """Hand the folds to nnUNetPredictor."""
        from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
        from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

        plans = PlansManager(trained.plans)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints that there is no GPU
            self._predictor = nnUNetPredictor(
                use_mirroring=mode is Mode.THOROUGH, device=torch.device("cpu"), allow_tqdm=False
            )
        configuration = plans.get_configuration(CONFIGURATION)
        network, weights = build_network(trained), list(trained.weights)
        self._predictor.manual_initialization(
            network, plans, configuration, weights, trained.dataset, "", trained.mirror_axes
        )

    def predict(self, pixels: Pixels, spacing_mm: tuple[float, float]) -> NDArray[np.uint8]:
        """The labels (rows, cols), 0, 1 and maybe 2, of one slice with pixels of (row, col) mm."""
        picture = pixels[None, None].astype(np.float32)
        properties = {"spacing": [_FAKE_MM * max(spacing_mm), *spacing_mm]}
        mask = self._predictor.predict_single_npy_array(picture, properties)
        return np.asarray(mask[0], np.uint8)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One slice segmented by the exported file and by nnU-Net.

    Attributes:
        name: the slice's name.
        tiles: how many tiles the picture needs.
        reference_px: size of nnU-Net's mask in pixels, a cavity included.
        reference_mm2: area of nnU-Net's tumour.
        differing_px: how many pixels have another label.
        dice: Dice of the two tumours; 1 if both are empty.
        area_delta_mm2: absolute difference of the areas.
    """

    name: str
    tiles: int
    reference_px: int
    reference_mm2: float
    differing_px: int
    dice: float
    area_delta_mm2: float

    @property
    def within(self) -> bool:
        """Whether the slice differs by no more than allowed."""
        share = int(self.reference_px * MAX_SHARE_TILED)
        return self.differing_px <= (MAX_PIXELS_ONE_TILE if self.tiles == 1 else max(MAX_PIXELS_TILED, share))


def compare(engine: Engine, sample: Sample, reference: NDArray[np.uint8], mode: Mode = Mode.FAST) -> Comparison:
    """Segment one slice with the exported file and compare with nnU-Net's mask, each with its own post-processing."""
    output = engine.contract.output
    margin = engine.segment(sample.pixels, sample.spacing_mm, mode).margin
    labels = labels_of(margin, keep_largest=output.keep_largest, cavity=output.cavity_index is not None)
    expected = largest_component(reference) if output.keep_largest else reference
    differing = int(np.count_nonzero(labels != expected))
    pixel_mm2 = sample.spacing_mm[0] * sample.spacing_mm[1]
    found, wanted = labels == output.tumour_index, expected == output.tumour_index
    size = int(wanted.sum())
    delta = abs(int(found.sum()) - size) * pixel_mm2
    tiles = len(prepare(sample.pixels, sample.spacing_mm, engine.contract.input).corners)
    dice = agreement(found, wanted)
    return Comparison(sample.name, tiles, int((expected > 0).sum()), size * pixel_mm2, differing, dice, delta)


@dataclass(frozen=True, slots=True)
class LogitError:
    """Absolute differences between the exported file's logits and PyTorch's."""

    mean: float
    largest: float


def logit_error(engine: Engine, trained: Trained, samples: Sequence[Sample]) -> LogitError:
    """Compare the logits of the first tile of each slice, over all folds."""
    networks = [build_network(trained, fold) for fold in range(len(trained.weights))]
    errors = []
    for sample in samples:
        prepared = prepare(sample.pixels, sample.spacing_mm, engine.contract.input)
        tile = prepared.tile(prepared.corners[0])
        with torch.inference_mode():
            expected = torch.cat([network(torch.from_numpy(tile)) for network in networks]).numpy()
        errors.append(np.abs(engine.run(tile) - expected[:, list(engine.contract.output.planes)]))
    return LogitError(float(np.mean([error.mean() for error in errors])), float(max(error.max() for error in errors)))


def predict_all(reference: Reference, samples: Sequence[Sample]) -> list[NDArray[np.uint8]]:
    """nnU-Net's mask of every slice, with a progress bar."""
    return [reference.predict(one.pixels, one.spacing_mm) for one in Bar(samples, desc="nnU-Net", unit="slice")]


def compare_all(
    engine: Engine, samples: Sequence[Sample], references: Sequence[NDArray[np.uint8]], mode: Mode = Mode.FAST
) -> tuple[Comparison, ...]:
    """Segment every slice with the exported file and compare with nnU-Net's masks."""
    return tuple(compare(engine, sample, mask, mode) for sample, mask in zip(samples, references, strict=True))


def demand(comparisons: Sequence[Comparison]) -> None:
    """Refuse an export whose masks are not nnU-Net's.

    Of the slices of one tile, 5 % (and always one) may differ, by one pixel each. A slice of several tiles may differ
    by two pixels or a thousandth of the mask.

    Raises:
        ModelError: with the slices that differ.
    """
    single = [one for one in comparisons if one.tiles == 1]
    other = sum(one.differing_px > 0 for one in single)
    if all(one.within for one in comparisons) and other <= max(1, (1 - MIN_IDENTICAL) * len(single)):
        return
    worst = sorted((one for one in comparisons if one.differing_px), key=lambda one: -one.differing_px)
    raise ModelError(
        f"The exported model disagrees with nnU-Net, so nothing was written: {len(worst)} of {len(comparisons)} "
        f"slices differ. Check the versions of torch and onnxruntime.\n{table(worst[:20])}"
    )


def table(comparisons: Sequence[Comparison]) -> str:
    """The comparisons as text, one line per slice."""
    head = f"{'slice':<32}{'tiles':>6}{'nnU-Net px':>12}{'differ px':>11}{'Dice':>9}"
    lines = [
        f"{one.name:<32}{one.tiles:>6}{one.reference_px:>12}{one.differing_px:>11}{one.dice:>9.5f}"
        for one in comparisons
    ]
    return "\n".join([head, *lines])


def summary(
    comparisons: Sequence[Comparison],
    mode: Mode,
    slices: str,
    engine: Engine,
    logits: LogitError,
    *,
    keep_largest: bool,
) -> Parity:
    """Summarise the comparisons as the proof in the contract.

    Args:
        comparisons: one per slice.
        mode: the mode in which they were made.
        slices: which slices were compared, in words.
        engine: what the exported file ran on.
        logits: how far its logits are from PyTorch's.
        keep_largest: whether both kept only the largest component.
    """
    mirrored = "no mirroring" if mode is Mode.FAST else "mirrored along every axis of the training"
    settings = f"float32, {mirrored}, tile step 0.5 with Gaussian weights"
    dices = [one.dice for one in comparisons]
    return Parity(
        mode=mode.value,
        reference=f"nnUNetPredictor of nnunetv2 {installed('nnunetv2')}",
        settings=f"{settings}, largest component kept" if keep_largest else settings,
        slices=slices,
        n_slices=len(comparisons),
        dice_min=min(dices),
        dice_mean=min(1.0, sum(dices) / len(dices)),
        identical=_identical(comparisons),
        area_delta_max_mm2=max(one.area_delta_mm2 for one in comparisons),
        by_area=tuple(_band(comparisons, low, high) for low, high in BANDS),
        logit_error_mean=logits.mean,
        logit_error_max=logits.largest,
        device="CPU",
        provider=engine.provider,
        versions={name: installed(name) for name in _LIBRARIES},
    )


def _band(comparisons: Sequence[Comparison], low: float, high: float) -> ParityBand:
    """The slices whose reference mask has an area in (low, high] mm²."""
    inside = [one for one in comparisons if low < one.reference_mm2 <= high]
    return ParityBand(
        band=(low, None if math.isinf(high) else high),
        n_slices=len(inside),
        dice_min=min((one.dice for one in inside), default=None),
        identical=_identical(inside) if inside else None,
        area_delta_max_mm2=max((one.area_delta_mm2 for one in inside), default=None),
    )


def _identical(comparisons: Sequence[Comparison]) -> float:
    """Share of the slices whose masks are identical."""
    return sum(one.differing_px == 0 for one in comparisons) / len(comparisons)
