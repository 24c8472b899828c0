"""The paper's trainer for current nnU-Net: DA5 augmentation and early stopping, resumable after any epoch."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler
from nnunetv2.training.nnUNetTrainer.variants.data_augmentation.nnUNetTrainerDA5 import nnUNetTrainerDA5

from training.io.files import written_aside
from training.io.receipt import write_json
from training.nnunet import transformer
from training.nnunet.boxes import KEY
from training.nnunet.boxes.head import BoxHead, WithBoxes, head_for, stage_of
from training.nnunet.consistency import WithConsistency, in_pairs
from training.nnunet.dataset import SMALL, TUMOUR_FREE
from training.nnunet.early_stopping import Patience
from training.nnunet.input_geometry import other_pictures
from training.nnunet.losses import NNUNET, changed
from training.nnunet.names import STARTED
from training.nnunet.pretrained import Started, start_from
from training.nnunet.progress import LOGGED, draw_curves, write_curves
from training.nnunet.randomness import State, random_state, restore_random_state
from training.nnunet.results.checkpoint import load_checkpoint, only_numbers, read_checkpoint
from training.nnunet.sampling import repeated, weighed
from training.nnunet.tensorboard import Curves
from training.nnunet.warm_start import load_export

Output = torch.Tensor | list[torch.Tensor]


def in_bfloat16(forward: Callable[[torch.Tensor], Output], device: str) -> Callable[[torch.Tensor], Output]:
    """Run a network's forward pass in bfloat16, with weights, loss and output in float32.

    nnU-Net uses mixed precision only on CUDA. On a CPU with bfloat16 instructions this halves the time of a step
    (measured: 0.74 to 0.34 s, batch of eight 256 x 256, two threads).
    """

    def mixed(image: torch.Tensor) -> Output:
        with torch.autocast(device, dtype=torch.bfloat16):
            output = forward(image.to(memory_format=torch.channels_last))
        return [one.float() for one in output] if isinstance(output, list) else output.float()

    return mixed


def computes_bfloat16(device: str) -> bool:
    """Whether a device has bfloat16 instructions: a CPU without them emulates them, ten times slower than float32."""
    return device != "cpu" or bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _plain(network: Any) -> Any:  # noqa: ANN401 - nnU-Net's untyped network
    """The network itself, which nnU-Net wraps to compile it and to train it on several GPUs."""
    for wrapped in ("module", "_orig_mod"):
        network = getattr(network, wrapped, network)
    return network


_UNETS = "dynamic_network_architectures."
"""The package of nnU-Net's own networks."""
_MOST_GRADIENT = 12.0
"""nnU-Net's limit of the gradient's norm."""


class _PatienceExhausted(Exception):  # noqa: N818 - not an error
    """Leaves nnU-Net's epoch loop, whose range is fixed at its start."""


class nnUNetTrainerDA5EarlyStopping(nnUNetTrainerDA5):  # type: ignore[misc]  # noqa: N801 - nnU-Net names result folders after the class
    """nnUNetTrainerDA5 that stops early and writes `checkpoint_latest` after every epoch.

    A checkpoint also holds the random generators: with `nnUNet_n_proc_DA=0` on a CPU, an interrupted training ends
    with the same weights as an uninterrupted one.

    It has no constructor on purpose: nnU-Net's base class reads the signature of its subclass, which lost
    `unpack_dataset` in 2.6. Settings are set on the instance before `run_training()`.
    """

    patience = Patience()
    bfloat16 = False
    tensorboard = False
    optimizer_name: str | None = None
    loss_name = NNUNET
    tumour_free: float | None = None
    small_tumours = 1
    start: Path | None = None
    box_weight = 0.0
    consistency = 0.0
    start_share = 0.5
    started: Started | None = None
    network: Any
    loss: Any
    _resumed: State | None = None
    _curves: Curves | None = None
    _head: BoxHead | None = None

    def initialize(self) -> None:
        """Build network and optimiser, and leave checkpoints to `on_epoch_end`: nnU-Net writes one every 50 epochs."""
        self.enable_deep_supervision = self._supervised
        super().initialize()
        if self.start is not None:
            self._start_from(self.start)
        if self.box_weight > 0:
            self._add_box_head()
        self.save_every = sys.maxsize
        self.logger.plot_progress_png = self._record_curves
        if self.bfloat16 and not computes_bfloat16(self.device.type):
            self.print_to_log_file("This processor has no bfloat16 and would only emulate it: training in float32.")
            self.bfloat16 = False
        if self.bfloat16:
            self.network = self.network.to(memory_format=torch.channels_last)
            self.network.forward = in_bfloat16(self.network.forward, self.device.type)

    @property
    def _supervised(self) -> bool:
        """Whether the network is one of nnU-Net's U-Nets, which have an output at each scale; any other has one."""
        return str(self.configuration_manager.network_arch_class_name).startswith(_UNETS)

    @property
    def _transformer(self) -> bool:
        """Whether the plans name the transformer instead of one of nnU-Net's U-Nets."""
        return bool(self.configuration_manager.network_arch_class_name == transformer.CLASS)

    @property
    def adamw(self) -> bool:
        """Whether AdamW trains the network, and not nnU-Net's SGD."""
        return self._transformer if self.optimizer_name is None else self.optimizer_name == "adamw"

    def configure_optimizers(self) -> tuple[Any, Any]:
        """nnU-Net's SGD, or AdamW where the settings ask for it or a transformer needs it, on the same schedule."""
        if not self.adamw:
            planned: tuple[Any, Any] = super().configure_optimizers()
            return planned
        parameters, rate = self.network.parameters(), self.initial_lr
        optimiser = torch.optim.AdamW(parameters, rate, weight_decay=transformer.WEIGHT_DECAY, betas=(0.9, 0.98))
        return optimiser, PolyLRScheduler(optimiser, rate, self.num_epochs)

    def _add_box_head(self) -> None:
        """Attach a head that learns boxes, with its own group in the optimiser and its own limit of the gradient."""
        network = _plain(self.network)
        head = self._head = head_for(network).to(self.device)
        head.attach(stage_of(network)[0])
        self.optimizer.add_param_group({"params": list(head.parameters())})
        self.optimizer.register_step_pre_hook(self._limit_box_gradient)
        self.loss = WithBoxes(self.loss, head, self.box_weight, self.label_manager.ignore_label)

    def _limit_box_gradient(self, *_: object) -> None:
        """Limit the head's gradient as nnU-Net limits the network's, which does not know of the head."""
        if self._head is not None:
            torch.nn.utils.clip_grad_norm_(self._head.parameters(), _MOST_GRADIENT)

    def _do_i_compile(self) -> bool:
        """As nnU-Net decides; with a box head never, which looks into the network while it runs."""
        return self.box_weight == 0 and bool(super()._do_i_compile())

    def set_deep_supervision_enabled(self, enabled: bool) -> None:
        """Switch the outputs of a U-Net; any other network has none to switch."""
        if self._supervised:
            super().set_deep_supervision_enabled(enabled)

    def _build_loss(self) -> Any:  # noqa: ANN401 - nnU-Net's untyped loss
        """nnU-Net's loss, changed if the settings name another, with consistency if they weigh it."""
        loss = changed(self.loss_name, super()._build_loss())
        return WithConsistency(loss, self.consistency) if self.consistency > 0 else loss

    def train_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """nnU-Net's step, on a batch in pairs where consistency is weighed."""
        step: dict[str, Any] = super().train_step(in_pairs(batch) if self.consistency > 0 else batch)
        return step

    def get_tr_and_val_datasets(self) -> tuple[Any, Any]:
        """nnU-Net's data sets, with small tumours and tumour-free slices drawn as often as the settings say."""
        train, val = super().get_tr_and_val_datasets()
        if self.small_tumours > 1:
            train.identifiers = repeated(train.identifiers, set(self.dataset_json[SMALL]), self.small_tumours)
        if self.tumour_free is not None:
            train.identifiers = weighed(train.identifiers, set(self.dataset_json[TUMOUR_FREE]), self.tumour_free)
        return train, val

    def _start_from(self, path: Path) -> None:
        """Fill the network from an export of its like, or with what fits of a checkpoint, and say so in one line."""
        network = _plain(self.network)
        if path.suffix == ".onnx":
            load_export(network, path)
            said = other_pictures(path, self.plans_manager.plans)
        else:
            self.started = start_from(network, path, self.start_share)
            said = self.started.words
        if said:
            self.print_to_log_file(said)

    def on_validation_epoch_end(self, val_outputs: list[dict[str, Any]]) -> None:
        """Update the patience before nnU-Net writes the checkpoints that hold it.

        The loss is the logged one, averaged over all GPUs, so that all stop in the same epoch.
        """
        super().on_validation_epoch_end(val_outputs)
        if isinstance(self.loss, WithBoxes):
            self.print_to_log_file("box_loss", round(self.loss.read(), 4))
        self.patience = self.patience.after(float(self.logger.get_value("val_losses", step=-1)))

    def on_train_start(self) -> None:
        """Restore the random generators, after nnU-Net has drawn and discarded its first batches."""
        super().on_train_start()
        if self.started is not None and self.local_rank == 0:
            write_json(self.started.as_json(), Path(self.output_folder) / STARTED)
        if self._resumed is not None and not self.is_ddp:  # processes that share a training each draw their own slices
            restore_random_state(self._resumed)

    def on_epoch_end(self) -> None:
        """Write `checkpoint_latest`, or leave the epoch loop if the patience is exhausted.

        It is written after `checkpoint_best`, so that a resumed training knows the best value so far.
        """
        super().on_epoch_end()
        if self.patience.exhausted:
            raise _PatienceExhausted
        if self.current_epoch < self.num_epochs:
            self.current_epoch -= 1  # the epoch is already counted, and saving counts it again
            self.save_checkpoint(str(Path(self.output_folder) / "checkpoint_latest.pth"))
            self.current_epoch += 1

    def run_training(self) -> None:
        """Train to the last epoch or until the patience is exhausted; either way `checkpoint_final` is written."""
        try:
            super().run_training()
        except _PatienceExhausted:
            self.print_to_log_file(f"Stopped early: {self.patience.waited} epochs without a lower validation loss.")
            self.on_train_end()

    def on_train_end(self) -> None:
        """Write the last checkpoint and draw the curves."""
        super().on_train_end()
        if self.local_rank == 0:
            draw_curves(Path(self.output_folder))

    def save_checkpoint(self, filename: str) -> None:
        """Write a checkpoint with patience and generators aside, then rename it: a kill leaves the old one whole."""
        if self.local_rank != 0 or self.disable_checkpointing:
            return
        planned, packed = io.BytesIO(), io.BytesIO()  # torch does not report a full disk
        super().save_checkpoint(planned)
        checkpoint = load_checkpoint(planned, Path(filename))
        checkpoint["early_stopping"] = {"lowest": self.patience.lowest, "waited": self.patience.waited}
        checkpoint["random_state"] = random_state()
        if self._head is not None:
            checkpoint[KEY] = self._head.state_dict()
        torch.save(checkpoint, packed)
        with written_aside(Path(filename)) as aside:
            aside.write_bytes(packed.getbuffer())

    def load_checkpoint(self, filename_or_checkpoint: str) -> None:
        """Resume from a checkpoint with its patience; one that holds more than numbers and text is refused."""
        checkpoint = read_checkpoint(Path(filename_or_checkpoint))
        with only_numbers():
            super().load_checkpoint(filename_or_checkpoint)
        self.patience = Patience(**checkpoint.get("early_stopping", {}), limit=self.patience.limit)
        self._resumed = checkpoint.get("random_state")
        if self._head is not None:
            self._head.load_state_dict(checkpoint[KEY])

    def _record_curves(self, folder: str) -> None:
        """Write each epoch's figures as CSV; nnU-Net's picture takes longer than a short epoch."""
        log = {name: self.logger.get_value(name, step=None) for name in LOGGED}
        write_curves(log, Path(folder))
        if self.tensorboard:
            self._curves = self._curves or Curves(Path(folder), self.current_epoch)
            self._curves.write(log)
