"""Our trainer, where nnU-Net looks for one by its name: nnUNet_extTrainer names this folder (nnU-Net 2.8 or newer).

The file also stands alone: where nnU-Net is and this package is not, a copy of it lets nnU-Net predict with our models.
"""

from nnunetv2.training.nnUNetTrainer.variants.data_augmentation.nnUNetTrainerDA5 import nnUNetTrainerDA5

try:
    from training.nnunet.trainer import nnUNetTrainerDA5EarlyStopping
except ModuleNotFoundError:

    class nnUNetTrainerDA5EarlyStopping(nnUNetTrainerDA5):  # type: ignore[misc, no-redef]  # noqa: N801 - its name in checkpoints
        """The name alone: it builds the network, and leaves training to the package that stops early and resumes."""

        def run_training(self) -> None:
            """Refuse, since nothing here would stop early."""
            raise RuntimeError("This computer has the name of this trainer only: train with 'ius-train fit'.")


__all__ = ["nnUNetTrainerDA5EarlyStopping"]
