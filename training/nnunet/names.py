"""The names of nnU-Net's folders, without importing nnU-Net."""

from pathlib import Path

PLANS = {
    "full": "nnUNetPlans",
    "resenc-m": "nnUNetResEncUNetMPlans",
    "resenc-l": "nnUNetResEncUNetLPlans",
    "resenc-xl": "nnUNetResEncUNetXLPlans",
    "swin-unetr": "iusSwinUNETRPlans",
    "realtime": "iusRealtimePlans",
    "realtime-half": "iusRealtimeHalfPlans",
    "realtime-half-wide": "iusRealtimeHalfWidePlans",
    "realtime-coarse": "iusRealtimeCoarsePlans",
    "realtime-narrow": "iusRealtimeNarrowPlans",
    "realtime-wide": "iusRealtimeWidePlans",
    "realtime-shallow": "iusRealtimeShallowPlans",
    "realtime-deep": "iusRealtimeDeepPlans",
}
"""`--plan` -> name of the plans in nnU-Net's folders; nnU-Net's own presets bear its own names."""
TRAINER = "nnUNetTrainerDA5EarlyStopping"
CONFIGURATION = "2d"
STARTED = "started.json"
"""In a fold's folder: the checkpoint of torch's that its training started from."""


def dataset_name(number: int, title: str) -> str:
    """The name of a data set's folder, such as `Dataset501_US_200`."""
    return f"Dataset{number:03d}_{title}"


def dataset_number(dataset: str) -> int:
    """The number in a data set's name: 501 in `Dataset501_US`."""
    return int(dataset.removeprefix("Dataset").split("_")[0])


def plans_name(plan: str, variant: str = "") -> str:
    """The plans' name; a variant is the same plan trained in another way on the same preprocessed slices."""
    return f"{PLANS[plan]}-{variant}" if variant else PLANS[plan]


def model_folder(work: Path, dataset: str, plan: str, variant: str = "") -> Path:
    """A model's folder in nnU-Net's results."""
    return work / "nnUNet_results" / dataset / f"{TRAINER}__{plans_name(plan, variant)}__{CONFIGURATION}"
