"""A small nnU-Net, trained in seconds with plain torch, in the shape of nnU-Net's own results folder."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from training.export.samples import draw_blobs

PATCH = (64, 80)
SPACING_MM = (0.6, 0.5)
STAGES = 3
ITERATIONS = 120


def _configuration(mask_normalisation: bool, residual: bool = False) -> dict:
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


def _before_2_3(configuration: dict, residual: bool) -> dict:
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


def _plans(mask_normalisation: bool, transposed: bool, residual: bool, old: bool) -> dict:
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


DATASET = {
    "channel_names": {"0": "US"},
    "labels": {"background": 0, "tumor": 1},
    "numTraining": 8,
    "file_ending": ".nii.gz",
}
FINGERPRINT = {
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


@pytest.fixture(scope="session")
def weights() -> dict:
    """Weights of the small network after some seconds on blobs: its masks are blobs, not noise."""
    return _trained(residual=False)


@pytest.fixture(scope="session")
def residual_weights() -> dict:
    """The same of a residual network."""
    return _trained(residual=True)


def _trained(residual: bool) -> dict:
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
        loss.backward()
        optimiser.step()
    # Opposite logits cross at zero, where float16 is fine: as in a network trained to the end.
    last = network.decoder.seg_layers[-1]
    for parameter in (last.weight, last.bias):
        half = (parameter.data[1] - parameter.data[0]) / 2
        parameter.data[0], parameter.data[1] = -half, half
    return network.state_dict()


@pytest.fixture(scope="session")
def model_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a results folder as nnU-Net does: plans, data set, fingerprint, folds with a pickled log."""

    def write(
        *,
        mask_normalisation: bool = False,
        transposed: bool = False,
        folds: int = 1,
        residual: bool = False,
        old: bool = False,
        trainer: str = "nnUNetTrainerDA5EarlyStopping",
    ) -> Path:
        folder = tmp_path_factory.mktemp("model") / "Dataset599_Blobs" / f"{trainer}__nnUNetPlans__2d"
        weights = request.getfixturevalue("residual_weights" if residual else "weights")
        plans = _plans(mask_normalisation, transposed, residual, old)
        for fold in range(folds):
            (folder / f"fold_{fold}").mkdir(parents=True)
            # Other folds differ a little, so that a fusion which takes only one of them shows.
            moved = {name: value * (1 + 0.02 * fold) for name, value in weights.items()}
            checkpoint = {
                "network_weights": moved,
                "optimizer_state": {},
                "grad_scaler_state": None,
                "logging": {"train_losses": [np.float64(0.5), np.float32(0.25)], "best": np.int64(3)},
                "_best_ema": np.float64(0.8),
                "current_epoch": 1,
                "init_args": {"configuration": "2d", "fold": fold, "device": torch.device("cpu")},
                "trainer_name": trainer,
                "inference_allowed_mirroring_axes": (0, 1),
            }
            torch.save(checkpoint, folder / f"fold_{fold}" / "checkpoint_best.pth")
        (folder / "plans.json").write_text(json.dumps(plans))
        (folder / "dataset.json").write_text(json.dumps(DATASET))
        (folder / "dataset_fingerprint.json").write_text(json.dumps(FINGERPRINT))
        return folder

    return write


KEPT = {
    "postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"],
    "postprocessing_kwargs": [{"labels_or_regions": [1]}],
}
"""postprocessing.json where cross-validation chose to keep the largest component."""


@pytest.fixture(scope="session")
def published(model_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a zip as the paper's repository publishes its models: v2.2 plans, a trainer of its own, no fingerprint."""

    def write(*, above: str = "", twin: bool = True, extra: dict[str, bytes] | None = None, folds: int = 5) -> Path:
        folder = model_folder(folds=folds, old=True, trainer="nnUNetTrainerWithESandDA5")
        root = f"{above}Dataset502_MRI_200/"
        inside = {file.relative_to(folder.parent).as_posix(): file.read_bytes() for file in folder.rglob("*.*")}
        del inside[f"{folder.name}/dataset_fingerprint.json"]
        inside["inference_information.json"] = b'{"postprocessing_file": "/elsewhere/postprocessing.pkl"}'
        inside["inference_instructions.txt"] = b"nnUNetv2_predict -d Dataset502_MRI_200 -c 2d -chk checkpoint_best"
        inside["postprocessing.pkl"] = b"never opened"
        if twin:
            inside["postprocessing.json"] = json.dumps(KEPT).encode()
        path = tmp_path_factory.mktemp("published") / "MRI_200-model.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in inside.items():
                archive.writestr(root + name, data)
            archive.writestr(f"__MACOSX/{root}{folder.name}/._plans.json", b"\0\5\26\7")
            for name, data in (extra or {}).items():
                archive.writestr(root + name, data)
        return path

    return write
