"""Compressed pictures of every codec: the size that a decoder tells of one is its own."""

import subprocess
from pathlib import Path

import cv2
import pytest
from senders import ffmpeg

from inference.sources.packets import codec_of, extradata, packet_of, size_of

ENCODERS = {
    "h264": ("-c:v", "libx264", "-preset", "ultrafast"),
    "hevc": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-tag:v", "hvc1"),
    "mpeg4": ("-c:v", "mpeg4"),
    "mpeg2": ("-c:v", "mpeg2video"),
    "mpeg1": ("-c:v", "mpeg1video"),
    "mjpeg": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
    "vp8": ("-c:v", "libvpx", "-deadline", "realtime"),
    "vp9": ("-c:v", "libvpx-vp9", "-deadline", "realtime"),
    "av1": ("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime"),
}
SUFFIX = {"mpeg4": ".avi", "vp8": ".mkv", "vp9": ".mkv", "mpeg2": ".mpg", "mpeg1": ".mpg"}


@pytest.mark.parametrize("codec", ENCODERS)
def test_the_size_of_a_compressed_picture_is_told_by_its_decoder(codec: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{SUFFIX.get(codec, '.mp4')}"
    source = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-frames:v", "3", "-pix_fmt", "yuv420p")
    subprocess.run((ffmpeg(), "-loglevel", "error", *source, *ENCODERS[codec], str(path)), check=True, timeout=60)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    assert capture.grab()
    found, packet = codec_of(capture), packet_of(capture)
    assert found is not None
    assert found.size_bytes(packet)
    assert size_of(found, extradata(capture) + packet) == (64, 96)
    capture.release()
