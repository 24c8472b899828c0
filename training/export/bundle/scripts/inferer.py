"""nnU-Net's way from a picture to its labels, as the model file's contract says it, by the engine's own code."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from numpy.typing import NDArray
from torch import nn

from inference.contract import Mode, ModelContract
from inference.errors import AnalysisError, FormatError, SelfTestError, SpacingError
from inference.frame import Mask, Pixels
from inference.model import golden, mirrors
from inference.model.margin import Margin
from inference.model.onnx_metadata import metadata_in
from inference.model.preprocessing import prepare
from inference.model.segmentation import labels_of

from .reader import UNKNOWN

Planes = NDArray[np.float32]
Run = Callable[[Planes], Planes]
"""(1, 1, rows, cols) of a tile -> logits (folds, labels, rows, cols)."""


class SliceInferer(Inferer):  # type: ignore[misc]
    """Takes whole pictures, in their own grey values and size, and answers with their labels.

    Before the first picture, the network has to reproduce the masks of the golden cases in the model file.

    Args:
        path: the model file.
        mode: `fast` is one pass, `thorough` the mean over all mirrors that training allowed.
    """

    def __init__(self, path: str, mode: str = "fast") -> None:
        super().__init__()
        metadata = metadata_in(Path(path).read_bytes())
        self._contract = ModelContract.from_metadata(metadata)
        self._golden = golden.unpack(metadata, self._contract.self_test.golden_sha256)
        output = self._contract.output
        self._cutoff = math.log(output.threshold / (1 - output.threshold))
        self._ways = mirrors.ways(output.mirror_axes) if Mode(mode) is Mode.THOROUGH else (mirrors.UNTURNED,)
        self._proved: tuple[nn.Module, torch.device] | None = None

    def __call__(self, inputs: MetaTensor, network: nn.Module, *_: object, **__: object) -> MetaTensor:
        """Label one picture.

        Args:
            inputs: (1, 1, cols, rows), as MONAI reads NIfTI, 0 outside the sector; a MetaTensor of `SliceReader`.
            network: (1, 1, rows, cols) -> logits (folds, labels, rows, cols).

        Returns:
            (1, 1, cols, rows) uint8 on the picture's grid: 0 background, 1 tumour and, of some models, 2 cavity.

        Raises:
            FormatError: if it is not one picture.
            SpacingError: if nothing states how large its pixels are.
            AnalysisError: if the network fails.
            SelfTestError: if the network does not reproduce the golden masks.
        """
        pixels, spacing_mm = _pixels(inputs), _spacing_mm(inputs)
        run = self._runner(network, inputs.device)
        if self._proved != (network, inputs.device):
            self._prove(run, inputs.device)
            self._proved = (network, inputs.device)
        labels = self._labels(pixels, spacing_mm, run, self._ways, keep_largest=self._contract.output.keep_largest)
        values = torch.from_numpy(np.ascontiguousarray(labels.T)).reshape(inputs.shape).to(inputs.device)
        return MetaTensor(values, meta=inputs.meta)

    def _runner(self, network: nn.Module, device: torch.device) -> Run:
        """One pass of the network on a device, its planes in the engine's order."""

        def run(tile: Planes) -> Planes:
            # Without TF32, as the engine: PyTorch's convolutions are in it unless told otherwise.
            with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                logits: Planes = network(torch.from_numpy(tile).to(device)).float().cpu().numpy()
            planes = logits[:, self._contract.output.planes]
            if not np.isfinite(planes).all():
                raise AnalysisError(f"The network's answer on {device} is not a number: run it on another device.")
            return planes

        return run

    def _prove(self, run: Run, device: torch.device) -> None:
        """Run the golden cases as the engine does at load.

        Raises:
            SelfTestError: if more pixels differ than the contract allows.
        """
        wrong, total, off = 0, 0, 0.0
        for case in self._golden:
            labels = self._labels(case.pixels, case.spacing_mm, run, (mirrors.UNTURNED,), keep_largest=False)
            wrong += int(np.count_nonzero(labels != case.mask))
            total += case.mask.size
            off = max(off, golden.tissue_off(case, labels))
        if wrong * 1e6 > self._contract.self_test.mismatched_per_million * total or off > golden.TISSUE_SHARE:
            raise SelfTestError(
                f"The network does not reproduce its golden masks on {device} ({wrong} of {total} pixels differ): "
                "run it on another device."
            )

    def _labels(
        self,
        pixels: Pixels,
        spacing_mm: tuple[float, float],
        run: Run,
        ways: tuple[mirrors.Axes, ...],
        *,
        keep_largest: bool,
    ) -> Mask:
        """The labels of a picture, (rows, cols) uint8."""
        prepared = prepare(pixels, spacing_mm, self._contract.input)
        tiles = (prepared.tile(corner) for corner in prepared.corners)
        passes = [[mirrors.turned(run(mirrors.turned(tile, axes)), axes) for axes in ways] for tile in tiles]
        margin = Margin([mirrors.mean(one) for one in passes], prepared, self._cutoff)
        return labels_of(margin, keep_largest=keep_largest, cavity=self._contract.output.cavity_index is not None)


def _pixels(inputs: MetaTensor) -> Pixels:
    """The picture, (rows, cols): 8 bits as they are, all else as float32, with 0 for what is not finite.

    Raises:
        FormatError: if there are several.
    """
    if inputs.ndim < 4 or inputs.numel() != inputs.shape[2] * inputs.shape[3]:
        raise FormatError(f"A picture of {tuple(inputs.shape)} is not one grey slice: give one a file, one at a time.")
    values = inputs.cpu().numpy().reshape(inputs.shape[2:4]).T
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    return np.nan_to_num(np.ascontiguousarray(values, np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _spacing_mm(inputs: MetaTensor) -> tuple[float, float]:
    """(row, col) mm of a pixel, as the picture's affine has it now.

    Raises:
        SpacingError: if its file states no scale, or no reader looked.
    """
    if not isinstance(inputs, MetaTensor) or UNKNOWN not in inputs.meta:
        raise SpacingError("Nothing states how large a pixel is: read the picture with scripts.reader.SliceReader.")
    if unknown := "".join(inputs.meta[UNKNOWN]):  # MONAI makes a list of it in a batch
        raise SpacingError(unknown)
    col_mm, row_mm = np.linalg.norm(inputs.affine.reshape(-1, 4, 4)[0].cpu().numpy()[:3, :2], axis=0)
    return float(row_mm), float(col_mm)
