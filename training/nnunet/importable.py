"""torchvision beside a torch that it was not compiled for."""

from importlib import import_module
from typing import Any

_OPERATORS = ("nms", "qnms")
_declared: list[Any] = []
"""Libraries of torch whose declarations last as long as they are held."""


def make_importable() -> None:
    """Let torchvision be imported although it was compiled for another build of torch.

    nnU-Net looks a trainer up by importing all of them, those with transformers too, which import timm, which imports
    torchvision. Where torch is a build for the CPU and torchvision one for CUDA, as PyPI has it, its compiled part does
    not load, and it then fails to describe operators that nothing of nnU-Net's calls, and nothing here.
    """
    import torch

    try:
        import_module("torchvision")
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in _OPERATORS:
            signature = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(signature)  # type: ignore[no-untyped-call]
        _declared.append(library)
