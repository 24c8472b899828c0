"""The learning curves of a training: progress.csv with one row per epoch, drawn in progress.png."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from inference.tables import read_rows, write_lines
from training.io.files import written_aside

LOGGED = ("train_losses", "val_losses", "mean_fg_dice", "ema_fg_dice", "lrs")
"""Keys in nnU-Net's log: losses, pseudo Dice of the validation batches and its running mean, learning rate."""
COLUMNS = ("train_loss", "val_loss", "pseudo_dice", "pseudo_dice_smoothed", "learning_rate")
"""The same, as progress.csv calls them."""


def write_curves(log: Mapping[str, Sequence[float]], folder: Path) -> None:
    """Write `progress.csv` with one row per epoch that is complete in the log."""
    with written_aside(folder / "progress.csv") as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        rows = enumerate(zip(*(log[name] for name in LOGGED), strict=False))
        lines = [(epoch, *(f"{float(value):.6g}" for value in row)) for epoch, row in rows]
        write_lines(stream, [("epoch", *COLUMNS), *lines])


def draw_curves(folder: Path) -> None:
    """Draw `progress.png` from `progress.csv`: losses on the left, pseudo Dice on the right."""
    from matplotlib.figure import Figure

    with (folder / "progress.csv").open(newline="", encoding="utf-8") as stream:
        _, rows = read_rows(stream)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [int(row["epoch"]) for row in rows]
    for axis, names in ((left, ("train_loss", "val_loss")), (right, ("pseudo_dice", "pseudo_dice_smoothed"))):
        for name, colour in zip(names, ("#7a8794", "#1f6feb"), strict=True):
            values = [float(row[name]) for row in rows]
            axis.plot(epochs, values, color=colour, linewidth=1.6, label=name.replace("_", " "))
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    left.set_ylabel("loss (Dice + cross-entropy)")
    right.set_ylabel("Dice of validation batches")
    with written_aside(folder / "progress.png") as aside:
        figure.savefig(aside, dpi=110)
