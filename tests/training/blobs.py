"""A small nnU-Net trained in seconds, in the shape of nnU-Net's own results folder.

For tests, benchmarks and trying an export without a training of hours. Its tumours are bright blobs.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.export.samples import draw_blobs

PATCH = (64, 80)
SPACING_MM = (0.6, 0.5)
STAGES = 3
ITERATIONS = 120


def _configuration(mask_normalisation: bool, residual: bool = False) -> dict[str, Any]:
    resampling = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
    return {
        "data_identifier": "nnUNetPlans_2d",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 8,
        "patch_size": list(PATCH),
        "median_image_size_in_voxels": [64.0, 80.0],
        "spacing": list(SPACING_MM),
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [mask_normalisation],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": resampling,
        "resampling_fn_seg_kwargs": resampling | {"is_seg": True, "order": 1},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": resampling | {"order": 1},
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet."
            + ("ResidualEncoderUNet" if residual else "PlainConvUNet"),
            "arch_kwargs": {
                "n_stages": STAGES,
                "features_per_stage": [8, 16, 16],
                "conv_op": "torch.nn.modules.conv.Conv2d",
                "kernel_sizes": [[3, 3]] * STAGES,
                "strides": [[1, 1]] + [[2, 2]] * (STAGES - 1),
                "n_blocks_per_stage" if residual else "n_conv_per_stage": [1] * STAGES,
                "n_conv_per_stage_decoder": [1] * (STAGES - 1),
                "conv_bias": True,
                "norm_op": "torch.nn.modules.instancenorm.InstanceNorm2d",
                "norm_op_kwargs": {"eps": 1e-05, "affine": True},
                "dropout_op": None,
                "dropout_op_kwargs": None,
                "nonlin": "torch.nn.LeakyReLU",
                "nonlin_kwargs": {"inplace": True},
            },
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
        "batch_dice": True,
    }


def _before_2_3(configuration: dict[str, Any], residual: bool) -> dict[str, Any]:
    """The configuration as nnU-Net 2.0 to 2.2 wrote it: the network in fields of its own."""
    network = {
        "UNet_class_name": "ResidualEncoderUNet" if residual else "PlainConvUNet",
        "UNet_base_num_features": 8,
        "n_conv_per_stage_encoder": [1] * STAGES,
        "n_conv_per_stage_decoder": [1] * (STAGES - 1),
        "num_pool_per_axis": [STAGES - 1] * 2,
        "pool_op_kernel_sizes": [[1, 1]] + [[2, 2]] * (STAGES - 1),
        "conv_kernel_sizes": [[3, 3]] * STAGES,
        "unet_max_num_features": 16,
    }
    return {key: value for key, value in configuration.items() if key != "architecture"} | network


def _plans(mask_normalisation: bool, transposed: bool, residual: bool, old: bool) -> dict[str, Any]:
    configuration = _configuration(mask_normalisation, residual)
    order = [0, 2, 1] if transposed else [0, 1, 2]
    return {
        "dataset_name": "Dataset599_Blobs",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [999.0, *SPACING_MM],
        "original_median_shape_after_transp": [1, *PATCH],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": order,
        "transpose_backward": order,
        "configurations": {"2d": _before_2_3(configuration, residual) if old else configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": {"percentile_00_5": 12.0, "percentile_99_5": 201.0}},
    }


DATASET: dict[str, Any] = {
    "channel_names": {"0": "US"},
    "labels": {"background": 0, "tumor": 1},
    "numTraining": 8,
    "file_ending": ".nii.gz",
}
FINGERPRINT: dict[str, Any] = {
    "spacings": [[999.0, 0.2, 0.25], [999.0, 0.7, 0.5]],
    "shapes_after_crop": [[1, 60, 90], [1, 140, 70]],
    "foreground_intensity_properties_per_channel": {"0": {"percentile_00_5": 12.0, "percentile_99_5": 201.0}},
}


def _batch(rng: np.random.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    images, masks = [], []
    for number in range(size):
        pixels, mask = draw_blobs(rng, PATCH, SPACING_MM, number % 4 != 0)
        inside = pixels[pixels > 0] if number % 2 else pixels  # both of nnU-Net's normalisations
        images.append(np.where((pixels > 0) | (number % 2 == 0), (pixels - inside.mean()) / inside.std(), 0))
        masks.append(mask)
    return torch.from_numpy(np.stack(images)[:, None]).float(), torch.from_numpy(np.stack(masks)).long()


@cache
def trained_weights(*, residual: bool = False) -> dict[str, torch.Tensor]:
    """Weights after some seconds on blobs: the masks are blobs, not noise."""
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    torch.manual_seed(0)
    torch.set_num_threads(1)  # spinning threads on busy cores are slower than one
    arch = _configuration(False, residual)["architecture"]
    network = get_network_from_plans(
        arch["network_class_name"], arch["arch_kwargs"], arch["_kw_requires_import"], 1, 2, deep_supervision=False
    )
    rng = np.random.default_rng(0)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(ITERATIONS):
        images, masks = _batch(rng, 4)
        loss = torch.nn.functional.cross_entropy(network(images), masks)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    # Opposite logits cross at zero, where float16 is fine: as in a network trained to the end.
    last = network.decoder.seg_layers[-1]
    for parameter in (last.weight, last.bias):
        half = (parameter.data[1] - parameter.data[0]) / 2
        parameter.data[0], parameter.data[1] = -half, half
    weights: dict[str, torch.Tensor] = network.state_dict()
    return weights


def with_cavity(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights with a third output that wins in the middle of tumours, and is not quite a function of theirs.

    Less is tumour than without it, so that some slices show nothing.
    """
    mixed, drawn = dict(weights), torch.Generator().manual_seed(3)
    for name, value in weights.items():
        if "seg_layers" in name and name.endswith("bias"):
            both = value + torch.tensor([1.5, -1.5])
            mixed[name] = torch.cat([both, 3 * both[1:] - 1.5])
        elif "seg_layers" in name:
            random = 0.05 * torch.randn(value[1:].shape, generator=drawn) * value[1].abs().mean()
            mixed[name] = torch.cat([value, 3 * value[1:] + random])
    return mixed


def write_model(
    folder: Path,
    *,
    mask_normalisation: bool = False,
    transposed: bool = False,
    folds: int = 1,
    residual: bool = False,
    old: bool = False,
    trainer: str = "nnUNetTrainerDA5EarlyStopping",
    cavity: bool = False,
) -> Path:
    """Write plans, data set, fingerprint and folds with a pickled log, as nnU-Net does.

    Args:
        folder: gets `Dataset599_Blobs/TRAINER__nnUNetPlans__2d`.
        mask_normalisation: nnU-Net's use_mask_for_norm.
        transposed: rows and columns exchanged.
        folds: how many, each a little different.
        residual: a ResidualEncoderUNet instead of a PlainConvUNet.
        old: plans as nnU-Net 2.0 to 2.2 wrote them.
        trainer: the trainer's name.
        cavity: with a third label, in the middle of the tumours.

    Returns:
        The model's folder.
    """
    model = folder / "Dataset599_Blobs" / f"{trainer}__nnUNetPlans__2d"
    weights = trained_weights(residual=residual)
    dataset = DATASET
    if cavity:
        weights, dataset = with_cavity(weights), DATASET | {"labels": {"background": 0, "tumor": 1, "cavity": 2}}
    for fold in range(folds):
        (model / f"fold_{fold}").mkdir(parents=True)
        # Other folds differ a little, so that a fusion which takes only one of them shows.
        moved = {name: value * (1 + 0.02 * fold) for name, value in weights.items()}
        torch.save(_checkpoint(moved, trainer), model / f"fold_{fold}" / "checkpoint_best.pth")
    (model / "plans.json").write_text(json.dumps(_plans(mask_normalisation, transposed, residual, old)))
    (model / "dataset.json").write_text(json.dumps(dataset))
    (model / "dataset_fingerprint.json").write_text(json.dumps(FINGERPRINT))
    return model


def _checkpoint(weights: dict[str, torch.Tensor], trainer: str) -> dict[str, Any]:
    return {
        "network_weights": weights,
        "optimizer_state": {},
        "grad_scaler_state": None,
        "logging": {"train_losses": [np.float64(0.5), np.float32(0.25)], "best": np.int64(3)},
        "_best_ema": np.float64(0.8),
        "current_epoch": 1,
        "init_args": {"configuration": "2d", "fold": 0, "device": torch.device("cpu")},
        "trainer_name": trainer,
        "inference_allowed_mirroring_axes": (0, 1),
    }
