"""A record of the demonstration clip's first frames, for the bundle's own test (`record.py FILE.mcap`)."""

import sys
from contextlib import closing
from pathlib import Path

from inference.assets import demo_clip_path
from inference.recording.recorder import Recorder
from inference.sources import open_source

FRAMES = 30


def main(path: Path) -> None:
    """Write it."""
    with closing(open_source(str(demo_clip_path()))) as source:
        recorder = Recorder(path, source.info)
        for number in range(FRAMES):
            recorder.frame(source.read(number))
        recorder.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
