"""A model made in code: a threshold with a contract, for tests and demonstrations of the plumbing.

Its mask is known without a network: a pixel is tumour where the grey value, in the network's own grid, lies above a
share of the tile's range. On a two-level phantom with `level` one half that is the phantom's own shape.
With a `cavity` level, what is brighter still is the resection cavity.
"""

from pathlib import Path
from typing import Literal

import cv2
import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from inference import contract as c
from inference.model.golden import GoldenCase
from inference.model.margin import Margin
from inference.model.preprocessing import prepare
from inference.model.segmentation import labels_of
from inference.safety import INTENDED_USE
from training.export.onnx_file import seal, write_onnx

Unit = Literal["range", "z"]
Precision = Literal["float32", "bfloat16"]


def threshold_model(
    path: Path,
    *,
    level: float = 0.5,
    unit: Unit = "range",
    blur: int = 1,
    spacing_mm: tuple[float, float] = (0.33, 0.33),
    patch: tuple[int, int] = (256, 256),
    mask_normalisation: bool = False,
    transposed: bool = False,
    simulated: bool = True,
    precision: Precision = "float32",
    name: str = "threshold",
    min_reliable_area_mm2: float = 200.0,
    very_small_area_mm2: float = 35.0,
    reliability: c.Measured | None = None,
    golden: tuple[GoldenCase, ...] | None = None,
    cavity: float | None = None,
) -> c.ModelContract:
    """Write a threshold model with a contract and golden cases.

    Args:
        path: the .onnx to write.
        level: threshold: a share of the tile's range from darkest (0) to brightest (1), or a z-score.
        unit: what `level` counts in.
        blur: side of a square mean filter before the threshold, odd; 1 is none.
        spacing_mm: (row, col) the network expects.
        patch: (rows, cols) of its fixed input.
        mask_normalisation: nnU-Net's use_mask_for_norm.
        transposed: the network wants rows and columns exchanged.
        simulated: what the contract says of its training population.
        precision: and of its precision.
        name: the contract's name.
        min_reliable_area_mm2: the contract's limit for the size warning.
        very_small_area_mm2: the contract's limit for the strong size warning.
        reliability: scores for the contract's fast mode.
        cavity: a level above `level`, from which on it is the cavity; None for a model that knows none.
        golden: golden cases to store instead of those computed here; wrong ones make a model that fails its self-test.

    Returns:
        The contract as stored.
    """
    recipe = _recipe(spacing_mm, patch, mask_normalisation, transposed)
    limits = c.Reliability(
        min_reliable_area_mm2=min_reliable_area_mm2,
        very_small_area_mm2=very_small_area_mm2,
        fast=reliability,
        thorough=None,
    )
    contract = _contract(name, recipe, limits, simulated, precision)
    if cavity is not None:
        contract = _with_cavity(contract)
    model = _graph(patch, level, unit, blur, cavity)
    cases = _cases(recipe, level, unit, blur, cavity) if golden is None else golden
    sealed = seal(model, contract, cases)
    write_onnx(model, path)
    return sealed


def _graph(patch: tuple[int, int], level: float, unit: Unit, blur: int, cavity: float | None) -> onnx.ModelProto:
    """Logits = [0, smooth(x) - level], and 2 (smooth(x) - the middle of both levels) of a cavity."""
    nodes = []
    smooth = "image"
    if blur > 1:
        half = blur // 2
        nodes.append(
            helper.make_node(
                "AveragePool", ["image"], ["smooth"], kernel_shape=[blur] * 2, pads=[half] * 4, count_include_pad=1
            )
        )
        smooth = "smooth"
    if unit == "range":
        nodes += [
            helper.make_node("ReduceMin", [smooth], ["low"], keepdims=1),
            helper.make_node("ReduceMax", [smooth], ["high"], keepdims=1),
            helper.make_node("Sub", ["high", "low"], ["range"]),
            helper.make_node("Mul", ["range", "level"], ["part"]),
            helper.make_node("Add", ["low", "part"], ["limit"]),
        ]
    else:
        nodes.append(helper.make_node("Identity", ["level"], ["limit"]))
    nodes += [
        helper.make_node("Sub", [smooth, "limit"], ["tumour"]),
        helper.make_node("Sub", ["tumour", "tumour"], ["background"]),
    ]
    planes, levels = ["background", "tumour"], {"level": level}
    if cavity is not None:  # twice as steep, and equal to the tumour's at its level
        planes, levels = [*planes, "cavity"], levels | {"between": (cavity - level) / 2, "two": 2.0}
        nodes += [
            helper.make_node("Mul", ["range", "between"], ["further"]),
            helper.make_node("Sub", ["tumour", "further"], ["half"]),
            helper.make_node("Mul", ["half", "two"], ["cavity"]),
        ]
    nodes.append(helper.make_node("Concat", planes, ["logits"], axis=1))
    graph = helper.make_graph(
        nodes,
        "threshold",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, *patch])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(planes), *patch])],
        [numpy_helper.from_array(np.float32(one).reshape(1, 1, 1, 1), name) for name, one in levels.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _logits(
    tile: NDArray[np.float32], level: float, unit: Unit, blur: int, cavity: float | None
) -> NDArray[np.float32]:
    """What the graph computes, without it."""
    smooth = np.asarray(cv2.blur(tile, (blur, blur), borderType=cv2.BORDER_CONSTANT), np.float32) if blur > 1 else tile
    low, high = smooth.min(), smooth.max()
    limit = low + (high - low) * np.float32(level) if unit == "range" else np.float32(level)
    planes = [np.zeros_like(smooth), smooth - limit]
    if cavity is not None:
        planes.append((planes[1] - (high - low) * np.float32((cavity - level) / 2)) * np.float32(2))
    return np.stack(planes)


def _with_cavity(contract: c.ModelContract) -> c.ModelContract:
    """The contract of a model that tells the cavity apart."""
    output = msgspec.structs.replace(
        contract.output, labels={"background": 0, "tumour": 1, "cavity": 2}, cavity_index=2
    )
    return msgspec.structs.replace(contract, schema=c.CAVITY_SCHEMA, output=output)


def _cases(recipe: c.Input, level: float, unit: Unit, blur: int, cavity: float | None) -> tuple[GoldenCase, ...]:
    """A bright shape (asymmetric, anisotropic, not square) and an empty picture, masks computed without the graph."""
    pixels = np.zeros((90, 120), np.uint8)
    cv2.ellipse(pixels, (60, 40), (50, 35), 0, 0, 360, 60, cv2.FILLED)
    cv2.fillPoly(pixels, [np.array([[50, 25], [85, 30], [70, 55], [60, 60], [45, 40]], np.int32)], 180)
    if cavity is not None:
        cv2.circle(pixels, (62, 42), 6, 255, cv2.FILLED)
    spacing = (0.5, 0.35)
    prepared = prepare(pixels, spacing, recipe)
    logits = [_logits(prepared.tile(corner)[0, 0], level, unit, blur, cavity) for corner in prepared.corners]
    mask = labels_of(Margin(logits, prepared), keep_largest=False, cavity=cavity is not None)
    empty = np.zeros((64, 80), np.uint8)
    return GoldenCase(pixels, spacing, mask), GoldenCase(empty, (0.3, 0.3), np.zeros_like(empty))


def _recipe(
    spacing_mm: tuple[float, float], patch: tuple[int, int], mask_normalisation: bool, transposed: bool
) -> c.Input:
    """The contract's input group."""
    seen = c.Seen(spacing_mm=(0.05, 2.0), rows=(1, 4096), cols=(1, 4096), intensity=(0.0, 65535.0))
    return c.Input(
        channels=("US",),
        patch=patch,
        divisor=(1, 1),
        transposed=transposed,
        spacing_mm=spacing_mm,
        normalisation="z_score",
        mask_normalisation=mask_normalisation,
        crop_to_nonzero=True,
        resampling_order=3,
        logit_resampling_order=1,
        tile_step=0.5,
        seen=seen,
    )


def _contract(
    name: str, recipe: c.Input, reliability: c.Reliability, simulated: bool, precision: Precision
) -> c.ModelContract:
    """A contract that says what this is: a threshold, not a network."""
    return c.ModelContract(
        schema=c.SCHEMA,
        identity=c.Identity(
            name=name, version="1", created="2025-01-01", licence="Apache-2.0", intended_use=INTENDED_USE
        ),
        input=recipe,
        population=c.Population(
            words="A threshold made in code: trained on nobody.",
            phases=("before_dura_opening",),
            surgery=("first",),
            tumour_types=(),
            grades=(),
            sites=(),
            scanners=(),
            views=("native", "slice"),
            n_patients=0,
            simulated=simulated,
        ),
        output=c.Output(
            labels={"background": 0, "tumour": 1},
            tumour_index=1,
            activation="softmax",
            threshold=0.5,
            folds=1,
            mirror_axes=(0, 1),
            keep_largest=False,
        ),
        reliability=reliability,
        provenance=c.Provenance(
            nnunetv2="none",
            trainer="none",
            plans_sha256="",
            checkpoint_sha256=(),
            datasets=(),
            area_cutoff_mm2=None,
            label_origin="simulated",
            seed=None,
            exporter="ius",
            precision=precision,
        ),
        parity=(),
        reduction=None,
        self_test=c.SelfTest(mismatched_per_million=200.0, golden_sha256=""),
    )
