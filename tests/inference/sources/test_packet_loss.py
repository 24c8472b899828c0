"""Video over a network that loses packets: no smeared picture is given as whole, and whole ones come again."""

import re
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from datagrams import sent
from hypothesis import given
from hypothesis import strategies as st
from senders import ffmpeg

from inference.errors import SourceError
from inference.sources.network import NetworkSource
from inference.sources.packet_loss import STEPS, PacketLoss
from inference.sources.pixels import grey
from inference.sources.remote import RemoteConnection

FreePort = Callable[..., int]
SECONDS, SHOWN = 3.4, 90
"""In which a clip of six seconds is sent, since a stream may come nearly twice as fast as its clock; pictures read."""
LOST = (25, 55)
"""The pictures between which packets are lost."""
CORRUPT = b"[OPENCV:FFMPEG:24] Packet corrupt (stream = 0, dts = 1).\n"
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-x264-params", "slices=2")
CODECS = {"h264": (*X264, "-g", "12"), "mpeg2": ("-c:v", "mpeg2video", "-b:v", "4M", "-bf", "2", "-g", "12")}


@pytest.fixture(scope="module", params=CODECS)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transport stream of moving squares in noise: every picture differs from every other."""
    path = tmp_path_factory.mktemp("loss") / "a.ts"
    source = ("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25,noise=alls=20:allf=t", "-t", "6")
    command = (ffmpeg(), "-loglevel", "error", *source, "-pix_fmt", "yuv420p", *CODECS[request.param], str(path))
    subprocess.run(command, check=True, timeout=60)
    return path


def pictures(path: Path) -> set[bytes]:
    """Every picture of a whole stream."""
    capture, found = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1]), set()
    while (read := capture.read())[0]:
        found.add(grey(read[1]).tobytes())
    capture.release()
    return found


def test_no_smeared_picture_is_given_as_whole_and_whole_ones_come_again(clip: Path, free_port: FreePort) -> None:
    whole, lost, port = pictures(clip), threading.Event(), free_port(socket.SOCK_DGRAM)
    given, true = list[bool](), list[bool]()
    address, random = f"udp://127.0.0.1:{port}", np.random.default_rng(1)

    def loses() -> bool:
        return lost.is_set() and random.random() < 1 / 30

    with sent(clip, port, SECONDS, loses), closing(RemoteConnection(address, address)) as stream:
        while len(given) < SHOWN and (picture := stream.read()) is not None:
            given.append(not picture.damaged)
            true.append(picture.pixels.tobytes() in whole)
            (lost.set if LOST[0] < len(given) < LOST[1] else lost.clear)()
    assert all(true[number] for number, said in enumerate(given) if said)
    assert not all(true)
    assert all(given[: LOST[0]])
    assert all(given[-10:]), "whole again from the next key picture on"


@pytest.mark.parametrize("form", ["h264", "mpeg2video"])
def test_bare_video_over_udp_is_refused_since_it_numbers_nothing(free_port: FreePort, form: str) -> None:
    port = free_port(socket.SOCK_DGRAM)
    encoder = {"h264": X264, "mpeg2video": ("-c:v", "mpeg2video")}[form]
    send = ("-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-pix_fmt", "yuv420p", *encoder, "-g", "10")
    sender = subprocess.Popen((ffmpeg(), "-loglevel", "error", *send, "-f", form, f"udp://127.0.0.1:{port}"))
    try:
        with pytest.raises(SourceError, match=re.escape("(ffmpeg: -f mpegts)")):
            NetworkSource(f"udp://127.0.0.1:{port}")
    finally:
        sender.kill()
        sender.wait()


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=40))
def test_damage_lasts_until_a_new_decoder_begins_at_a_key_picture_that_lost_nothing(
    packets: list[tuple[bool, bool, bool]],
) -> None:
    loss, smeared, lost_before = PacketLoss(numbered=True), False, False
    for number, (key, lost, broken) in enumerate(packets):
        begins = loss.packet(40.0 * number, CORRUPT if lost else b"", key=key)
        smeared |= lost
        # FFmpeg speaks of the packet after this one too, which it has begun to read.
        assert begins == (smeared and key and not lost and not lost_before)
        if begins:
            loss.begins()
            smeared = False
        smeared |= broken
        lost_before = lost
        assert loss.decoded(b"[OPENCV:FFMPEG:16] error while decoding MB 3 4\n" if broken else b"") == smeared


def test_a_decoder_that_must_begin_at_a_doubtful_picture_gives_no_whole_one() -> None:
    """As where the picture's size changes: what was lost just before may have been a part of it."""
    loss = PacketLoss(numbered=True)
    loss.packet(0.0, CORRUPT, key=False)
    assert not loss.packet(40.0, b"", key=True)
    loss.begins()
    assert loss.decoded(b"")


@pytest.mark.parametrize("numbered", [True, False])
def test_a_burst_that_swallows_whole_pictures_is_seen_by_the_clock(numbered: bool) -> None:
    """Sixteen packets, or a multiple: the stream's own counter is back where it was."""
    loss, last_ms = PacketLoss(numbered=numbered), 40.0 * STEPS
    for number in range(STEPS + 1):
        loss.packet(40.0 * number, b"", key=False)
    loss.packet(last_ms + 55.0, b"", key=False)  # a sender that is not quite even
    assert not loss.decoded(b"")
    loss.packet(last_ms + 175.0, b"", key=False)
    assert loss.decoded(b"") != numbered


def test_a_sender_of_uneven_pace_is_believed() -> None:
    """One that leaves out pictures in which nothing moved."""
    loss, at_ms = PacketLoss(numbered=False), 0.0
    for number in range(4 * STEPS):
        at_ms += 40.0 * (1 + number % 4)
        loss.packet(at_ms, b"", key=False)
        assert not loss.decoded(b"")
