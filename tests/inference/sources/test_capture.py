"""Capture devices, driven by real streams in the place of hardware: nothing here was ever a device."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from time import monotonic

import cv2
import pytest
from following import following, wait_for, wait_for_silence
from senders import ffmpeg

from inference.errors import NotFoundError, SourceError
from inference.sources.capture import (
    CaptureDevice,
    CaptureFormat,
    CaptureSource,
    Grabber,
    capture_devices,
    find,
    open_grabber,
)
from inference.spacing import PixelSpacing, Provenance

FreePort = Callable[..., int]
GRABBER = CaptureDevice("USB Video", 0, "/dev/video0")


class Bench:
    """A computer with one place to plug in: the device is an ffmpeg that sends over loopback."""

    def __init__(self, port: int) -> None:
        self.devices: list[CaptureDevice] = []
        self.opened: list[CaptureDevice] = []
        self._port = port
        self._sender: subprocess.Popen[bytes] | None = None

    def plug_in(self, device: CaptureDevice = GRABBER, size: str = "322x242") -> None:
        command = [
            *(ffmpeg(), "-loglevel", "error", "-re", "-f", "lavfi", "-i", f"testsrc=size={size}:rate=25", "-t", "60"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "5", "-pix_fmt", "yuv420p"),
            *("-f", "mpegts", f"udp://127.0.0.1:{self._port}?pkt_size=1316"),
        ]
        self._sender = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.devices = [device]

    def unplug(self) -> None:
        self.devices = []
        if self._sender is not None:
            self._sender.kill()
            self._sender.wait()

    def list_devices(self) -> list[CaptureDevice]:
        return self.devices

    def open(self, device: CaptureDevice) -> Grabber:
        self.opened.append(device)
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 5000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 800]
        return cv2.VideoCapture(f"udp://127.0.0.1:{self._port}?localaddr=127.0.0.1", cv2.CAP_FFMPEG, limits)

    def source(self, wanted: CaptureFormat | None = None, typed: PixelSpacing | None = None) -> CaptureSource:
        return CaptureSource("USB Video", wanted=wanted, typed=typed, lister=self.list_devices, opener=self.open)


@pytest.fixture
def bench(free_port: FreePort) -> Iterator[Bench]:
    bench = Bench(free_port(socket.SOCK_DGRAM))
    yield bench
    bench.unplug()


def test_an_unplugged_device_is_found_again_by_its_name_under_another_number(bench: Bench) -> None:
    bench.plug_in()
    with following(bench.source()) as newest:
        before = wait_for(newest)
        assert before.pixels.shape == (242, 322)
        assert before.origin.live
        assert before.spacing is None
        assert "calibrate" in before.no_spacing_reason
        bench.unplug()
        wait_for_silence(newest)
        again = CaptureDevice("USB Video", 3, "/dev/video3")
        bench.plug_in(again)
        assert wait_for(newest).index > before.index
        assert bench.opened[0] == GRABBER
        assert bench.opened[-1] == again


def test_a_typed_scale_does_not_survive_the_unplugging(bench: Bench) -> None:
    typed = PixelSpacing(0.1, 0.1, Provenance.TYPED)
    bench.plug_in()
    with following(bench.source(typed=typed)) as newest:
        assert wait_for(newest).spacing == typed
        bench.unplug()
        wait_for_silence(newest)
        bench.plug_in()
        after = wait_for(newest)
    assert after.spacing is None
    assert "interrupted" in after.no_spacing_reason


def test_another_size_than_asked_for_is_refused_and_told(bench: Bench) -> None:
    bench.plug_in()
    wanted = CaptureFormat(cols=1920, rows=1080, fourcc="MJPG")
    with pytest.raises(SourceError, match="gives 322 × 242 pixels and not 1920 × 1080"), bench.source(wanted):
        pass


def test_the_size_asked_for_is_taken(bench: Bench) -> None:
    bench.plug_in()
    source = bench.source(CaptureFormat(cols=322, rows=242))
    assert (source.info.cols, source.info.rows) == (322, 242)
    source.close()


def test_a_device_that_is_not_there_is_told_at_once(bench: Bench) -> None:
    begun = monotonic()
    with pytest.raises(SourceError, match="no device called USB Video"):
        bench.source()
    assert monotonic() - begun < 1.0


def test_of_two_with_one_name_only_the_place_decides() -> None:
    twins = [GRABBER, CaptureDevice("USB Video", 2, "/dev/video2"), CaptureDevice("Other", 4, "/dev/video4")]
    assert find(twins, "USB Video", "/dev/video2").index == 2
    assert find(twins, "Other", "/dev/video9").index == 4
    for path in ("", "/dev/video4", "/dev/video9"):
        with pytest.raises(NotFoundError, match="2 devices are called USB Video"):
            find(twins, "USB Video", path)


def test_the_system_s_own_list_can_be_asked() -> None:
    for device in capture_devices():
        assert device.name


@pytest.mark.skipif(sys.platform != "linux", reason="a device number that cannot exist")
def test_a_device_number_without_a_device_is_refused() -> None:
    gone = CaptureDevice("Gone", 63)
    with pytest.raises(SourceError, match="Gone cannot be opened: close other programs"):
        CaptureSource("Gone", lister=lambda: [gone], opener=open_grabber)
