"""With which settings a fold's training has run so far: one that goes on may take others, one that has ended cannot."""

import json
import sys
from pathlib import Path
from typing import Any

from inference.errors import FormatError
from training.io.receipt import write_json
from training.nnunet.settings import FitSettings

COURSE = "course.json"
KEPT = ("epochs", "iterations", "val_iterations", "batch_size", "patience", "bfloat16", "seed")
"""Settings that a training's result depends on, beside those for which its folder is claimed (`learns`)."""


def follow(fold: Path, settings: FitSettings) -> None:
    """Note the settings with which a fold's training begins or goes on; what an earlier one left to obey is removed.

    Raises:
        FormatError: if it has ended, with others: its receipt would state a training that never was.
    """
    now = {name: getattr(settings, name) for name in KEPT}
    before, ended = course(fold), (fold / "checkpoint_final.pth").is_file()
    last = before[-1] if before else {}
    other = [name for name in KEPT if name in last and last[name] != now[name]]
    if ended and other:
        then, wanted = (", ".join(f"{name} {_word(of[name])}" for name in other) for of in (last, now))
        raise FormatError(
            f"{fold} was trained to its end with {then}, and is not trained again with {wanted}: remove it, or choose "
            "another --variant."
        )
    if ended:
        return
    _forget_choice(fold)
    if now != last:
        write_json([*before, now], fold / COURSE)


def _forget_choice(fold: Path) -> None:
    """Remove the post-processing that was chosen with an earlier training of the fold, since all have to have ended."""
    for path in fold.parent.glob("crossval_results_folds_*/postprocessing.*"):
        if fold.name.removeprefix("fold_") in path.parent.name.split("_"):
            path.unlink()
            sys.stderr.write(
                f"{path} was chosen with an earlier training and is removed: run 'ius-train postprocess'.\n"
            )


def course(fold: Path) -> list[dict[str, Any]]:
    """The settings of each start that had others than the one before it, as far as the fold or its receipt tells."""
    if (fold / COURSE).is_file():
        return list(json.loads((fold / COURSE).read_text(encoding="utf-8")))
    receipt = fold / "receipt-fit.json"  # of an earlier version, which noted nothing else
    told = json.loads(receipt.read_text(encoding="utf-8"))["settings"] if receipt.is_file() else {}
    return [{name: told[name] for name in KEPT if name in told}] if told else []


def _word(value: object) -> str:
    """A setting's value; None is what nnU-Net plans or has by itself."""
    return "nnU-Net's own" if value is None else str(value)
