"""A working run of every subcommand, watched from outside: none sends anything, none keeps an identity.

.venv/bin/python tests/soak/soak_telemetry.py
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/soak")]

from figures import Figures  # noqa: E402 - its folder is no package
from wiretap import EVERY_HELP, IDENTITY, WORKING, watched  # noqa: E402

from inference.assets import demo_clip_path  # noqa: E402

AWAY = "ARCHIVE@127.0.0.1:1"
"""Nobody listens there."""


def runs(folder: Path) -> dict[str, list[str]]:
    """The commands, in an order in which each finds what the one before made."""
    record, clip, out = folder / "clip.mcap", str(demo_clip_path()), str(folder / "out")
    segment, train = ["-m", "inference.cli"], ["-m", "training.cli"]
    return {
        "every help": EVERY_HELP,
        **WORKING,
        "run": [*segment, "run", clip, "--out", out],
        "live": [*segment, "live", "simulated:?disturb=lifted&at=2", "--record", str(record), "--seconds", "5"],
        "export": [*segment, "export", str(record), "--out", out, "--frame", "1", "--video", "--dicom"],
        "send": [*segment, "send", f"{out}/frame-000001.dcm", "--to", AWAY],
        "fetch": [*segment, "fetch", "--from", AWAY, "--accession", "A-1"],
        "simulate": [*train, "simulate", "--small", "--patients", "2", "--out", str(folder / "SIMULATED")],
    }


def main() -> int:
    """Watch them all."""
    figures = Figures("telemetry", "every command, offscreen")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        for number, (command, arguments) in enumerate(runs(folder).items()):
            sent, left = watched(arguments, folder / f"home-{number}", codes=(0, 1, 2))
            figures.add(f"{command}: sent to other computers", len(sent), "messages", most=0)
            figures.add(f"{command}: files with an identity", sum(bool(IDENTITY.search(one)) for one in left), most=0)
        figures.check("the record was exported", holds=(folder / "out" / "clip_seg.dcm").is_file())
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
