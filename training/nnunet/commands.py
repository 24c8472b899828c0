"""nnU-Net's own commands on our working folder, where they find our trainer."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

from inference.errors import NotFoundError
from training.nnunet.importable import make_importable
from training.nnunet.run import workspace

LOOKUP = Path(__file__).with_name("lookup")
"""The folder with our trainer for nnU-Net's look-up by name."""
_PREFIX = "nnUNetv2_"
_SEARCHED = "nnUNet_extTrainer"


def run_command(work: Path, words: Sequence[str]) -> None:
    """Run nnU-Net's command, such as `predict -i … -o …`, in this process.

    Args:
        work: folder of nnUNet_raw, nnUNet_preprocessed and nnUNet_results.
        words: the command without `nnUNetv2_`, and its arguments.

    Raises:
        NotFoundError: if there is no such folder, or nnU-Net has no such command.
    """
    name = f"{_PREFIX}{words[0].removeprefix(_PREFIX)}" if words else ""
    known = {one.name: one for one in entry_points(group="console_scripts") if one.name.startswith(_PREFIX)}
    if name not in known:
        raise NotFoundError(f"nnU-Net has {', '.join(one.removeprefix(_PREFIX) for one in sorted(known))}: name one.")
    if not work.is_dir():
        raise NotFoundError(f"There is no folder {work}: name the working folder of 'ius-train fit'.")
    workspace(work)
    others = [folder for folder in os.environ.get(_SEARCHED, "").split(os.pathsep) if folder]
    os.environ[_SEARCHED] = os.pathsep.join([str(LOOKUP), *others])
    make_importable()
    sys.argv = [name, *words[1:]]
    known[name].load()()
