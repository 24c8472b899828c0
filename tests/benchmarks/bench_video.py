"""What a video costs a frame, with each encoder that OpenCV's wheel brings: the bundled clip, 640×720 with words.

.venv/bin/python tests/benchmarks/bench_video.py
"""

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from inference.assets import demo_clip_path
from inference.sources import open_source

FRAMES = 40


def main() -> None:
    with open_source(str(demo_clip_path())) as source:
        pictures = [np.pad(source.read(60 + n).pixels, ((0, 208), (0, 128))) for n in range(FRAMES)]
    coloured = [np.repeat(picture[..., None], 3, axis=2) for picture in pictures]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("mp4v", "vp09"):
            path, begun = Path(folder) / f"{name}.mp4", time.process_time()
            writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*name), 25.0, (640, 720))
            for picture in coloured:
                writer.write(picture)
            writer.release()
            took = (time.process_time() - begun) * 1e3 / FRAMES
            print(f"{name}  {took:6.1f} ms of CPU and {path.stat().st_size / FRAMES / 1e3:5.1f} kB a frame")


if __name__ == "__main__":
    main()
