"""Live sources against real senders on loopback: ffmpeg over udp, a pyigtl server."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from queue import SimpleQueue
from time import monotonic
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inference.alarms import Alarm
from inference.crop import Rect
from inference.errors import SourceError
from inference.frame import Frame, Pixels
from inference.latest import Latest
from inference.sector import GrowingSector
from inference.sources import is_live, open_live, rhythm
from inference.sources.base import LOST_AFTER_S, LiveSource
from inference.sources.depth_watch import DepthGuard
from inference.sources.live import CHANGED, INTERRUPTED, WITHHELD, Live, Picture
from inference.sources.openigtlink import NO_PLANE, NO_SCALE, matrix_spacing
from inference.sources.paths import shown_address
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance

Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]
SCALED = np.diag([0.2, 0.3, 1.0, 1.0])
TYPED = PixelSpacing(0.5, 0.5, Provenance.TYPED)


class Reader:
    """Takes a source's frames in a thread, as the stream does."""

    def __init__(self, source: LiveSource) -> None:
        self.source, self.error = source, ""
        self.seen: Latest[Frame] = Latest()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        try:
            for frame in self.source.frames():
                self.seen.put(frame)
        except SourceError as error:
            self.error = str(error)

    def next(self, within_s: float = 10.0) -> Frame:
        """The newest frame, or one that comes in time."""
        end, tick = monotonic() + within_s, threading.Event()
        while monotonic() < end:
            if (frame := self.seen.poll()) is not None:
                return frame
            tick.wait(0.005)
        raise AssertionError(f"no frame within {within_s} s: {self.error}")

    def until(self, index: int) -> Frame:
        frame = self.next()
        while frame.index < index:
            frame = self.next()
        return frame

    def silence(self, for_s: float) -> bool:
        """Whether nothing comes for so long, within ten seconds."""
        end, tick = monotonic() + 10.0, threading.Event()
        since = monotonic()
        while monotonic() < end:
            if self.seen.poll() is not None:
                since = monotonic()
            if monotonic() - since > for_s:
                return True
            tick.wait(0.005)
        return False

    def close(self) -> float:
        """Seconds that closing took."""
        begun = monotonic()
        self.source.close()
        self._thread.join(5.0)
        assert not self._thread.is_alive()
        return monotonic() - begun


@contextmanager
def reading(address: str, spacing: PixelSpacing | None = None) -> Iterator[Reader]:
    reader = Reader(open_live(address, spacing=spacing))
    try:
        yield reader
    finally:
        assert reader.close() < 1.5


def test_an_openigtlink_picture_keeps_its_pixels_and_takes_its_scale_from_the_matrix(
    igtl: Igtl, free_port: FreePort
) -> None:
    port = free_port()
    with igtl(port), reading(f"igtl://127.0.0.1:{port}") as reader:
        frame = reader.until(3)
    assert frame.spacing is not None
    assert frame.spacing.col_mm == pytest.approx(0.2)
    assert frame.spacing.row_mm == pytest.approx(0.3)
    assert frame.spacing.provenance is Provenance.MATRIX
    assert frame.origin.live
    # Ellipse and tissue arrive as they were sent; any of the forty frames may be the newest.
    sent = [PhantomSource(rows=96, cols=128, count=40).read(index).pixels for index in range(40)]
    assert any(np.array_equal(frame.pixels, pixels) for pixels in sent)


def test_a_lost_server_means_silence_and_a_new_one_is_found(igtl: Igtl, free_port: FreePort) -> None:
    port = free_port()
    with igtl(port):
        reader = Reader(open_live(f"igtl://127.0.0.1:{port}"))
        last = reader.until(3)
    try:
        assert reader.silence(for_s=1.0)
        with igtl(port):
            assert reader.next().index > last.index
    finally:
        reader.close()


def test_a_scale_given_by_hand_ends_with_the_signal_it_was_given_for(igtl: Igtl, free_port: FreePort) -> None:
    port = free_port()
    address = f"igtl://127.0.0.1:{port}"
    with igtl(port, np.eye(4)):
        reader = Reader(open_live(address, spacing=TYPED))
        assert reader.until(2).spacing == TYPED
    try:
        assert reader.silence(for_s=0.5)
        with igtl(port, np.eye(4)):
            frame = reader.next()
            assert frame.spacing is None
            assert frame.no_spacing_reason == INTERRUPTED
            reader.source.set_spacing(TYPED)
            assert reader.until(frame.index + 3).spacing == TYPED
    finally:
        reader.close()


class Told:
    """A connection that never breaks, as udp's does not: a picture whenever it is told to send one."""

    def __init__(self) -> None:
        self._pictures: SimpleQueue[Picture | None] = SimpleQueue()

    def send(self, depth: str = "", *, damaged: bool = False) -> None:
        pixels = np.full((40, 60), 80, np.uint8)
        cv2.putText(pixels, depth, (4, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 3)
        self._pictures.put(Picture(pixels, None, "none stated", damaged=damaged))

    def read(self) -> Picture | None:
        return self._pictures.get()

    def leave(self) -> None:
        self._pictures.put(None)

    def close(self) -> None:
        """Called by the source; the next connection reads on where this one ended."""


@contextmanager
def leaving(told: Told) -> Iterator[None]:
    try:
        yield
    finally:
        told.leave()


class Hesitating(Live):
    def __init__(self, told: Told) -> None:
        self._told = told
        super().__init__("hesitating", TYPED)

    def _connect(self) -> Told:
        return self._told


def test_a_scale_given_by_hand_ends_with_a_gap_on_a_connection_that_stays() -> None:
    told = Told()
    told.send()
    with Hesitating(told) as source, leaving(told):
        frames = source.frames()
        assert next(frames).spacing == TYPED
        threading.Event().wait(LOST_AFTER_S / 5)
        told.send()
        assert next(frames).spacing == TYPED
        threading.Event().wait(1.2 * LOST_AFTER_S)
        told.send()
        frame = next(frames)
        assert (frame.spacing, frame.no_spacing_reason) == (None, INTERRUPTED)
        source.set_spacing(TYPED)
        told.send()
        assert next(frames).spacing == TYPED


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="Linux's clock that counts sleep")
def test_a_scale_given_by_hand_ends_with_a_sleep_after_which_the_pictures_simply_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock that orders the pictures stands still in a sleep: to it, the next one comes in time."""
    told, real = Told(), time.clock_gettime
    told.send()
    with Hesitating(told) as source, leaving(told):
        frames = source.frames()
        for _ in range(6):
            assert next(frames).spacing == TYPED
            threading.Event().wait(0.01)
            told.send()
        assert next(frames).spacing == TYPED
        monkeypatch.setattr(time, "clock_gettime", lambda clock: real(clock) + 3600 * (clock == time.CLOCK_BOOTTIME))
        told.send()
        frame = next(frames)
        assert (frame.spacing, frame.no_spacing_reason) == (None, INTERRUPTED)
        source.set_spacing(TYPED)
        told.send()
        assert next(frames).spacing == TYPED


def test_a_scale_taken_up_again_is_void_at_another_depth() -> None:
    """Whoever takes it up says that the depth is unchanged; the watched text knows better."""
    told = Told()
    told.send("4")
    with Hesitating(told) as source, leaving(told):
        frames = source.frames()
        next(frames)
        whole = source.whole()
        assert whole is not None
        source.watch_depth(DepthGuard(whole, Rect(0, 0, 40, 60)))
        told.send("4")
        assert next(frames).spacing == TYPED
        threading.Event().wait(1.2 * LOST_AFTER_S)
        told.send("9")
        assert next(frames).spacing is None
        source.restore_spacing(TYPED)
        told.send("9")
        frame = next(frames)
        assert (frame.spacing, frame.no_spacing_reason) == (None, Alarm.DEPTH.sentence)


def test_nothing_is_learnt_of_a_damaged_picture() -> None:
    """It has no scale, since its depth may have changed; a smear of the depth text is no change, and what stays is."""
    told = Told()
    told.send("4")
    with Hesitating(told) as source, leaving(told):
        frames = source.frames()
        next(frames)
        whole = source.whole()
        assert whole is not None
        source.watch_depth(DepthGuard(whole, Rect(0, 0, 40, 60)))
        source.set_spacing(TYPED)
        told.send("9", damaged=True)
        frame = next(frames)
        assert (frame.damaged, frame.spacing, frame.no_spacing_reason) == (True, None, Alarm.DAMAGED.sentence)
        told.send("4")
        frame = next(frames)
        assert (frame.damaged, frame.spacing, source.depth_watched) == (False, TYPED, True)
        told.send("9", damaged=True)
        next(frames)
        told.send("9")
        assert next(frames).no_spacing_reason == Alarm.DEPTH.sentence
        told.send("4", damaged=True)
        assert next(frames).depth_changed_at is not None


def test_a_smear_outside_the_sector_stays_hidden_and_grows_nothing() -> None:
    sector = GrowingSector()
    tissue = PhantomSource(rows=120, cols=160).read(0).pixels
    shown = sector.apply(tissue)
    inside = sector.mask(np.full_like(tissue, 200)) > 0
    assert 0.2 < inside.mean() < 0.8
    assert inside[shown > 0].all()
    assert np.array_equal(sector.apply(tissue), shown)
    assert not GrowingSector().mask(tissue).any()


def test_a_scale_given_by_hand_stays_with_a_sender_that_is_slow_by_nature(monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture a second, ten times as fast."""
    monkeypatch.setattr(rhythm, "LOST_AFTER_S", LOST_AFTER_S / 10)
    told = Told()
    told.send()
    with Hesitating(told) as source, leaving(told):
        frames = source.frames()
        assert next(frames).spacing == TYPED
        for number in range(rhythm.ENOUGH):
            threading.Event().wait(0.1)
            told.send()
            frame = next(frames)
            if number < rhythm.ENOUGH - 1:
                assert (frame.spacing, frame.no_spacing_reason) == (None, WITHHELD)
        assert frame.spacing == TYPED, "it was only withheld"
        for _ in range(3):
            threading.Event().wait(0.1)
            told.send()
            assert next(frames).spacing == TYPED


def test_a_scale_given_by_hand_ends_with_a_sender_that_is_back_at_once() -> None:
    """Before the gap is long enough to be called a lost signal: the scanner may have been started anew."""
    told = Told()
    told.send()
    with Hesitating(told) as source, leaving(told):
        frames = source.frames()
        assert next(frames).spacing == TYPED
        told.leave()
        told.send()
        begun = monotonic()
        frame = next(frames)
        assert monotonic() - begun < LOST_AFTER_S, "the gap alone would have ended the scale"
        assert (frame.spacing, frame.no_spacing_reason) == (None, INTERRUPTED)


def test_a_matrix_that_changes_voids_the_scale_given_by_hand(igtl: Igtl, free_port: FreePort) -> None:
    port = free_port()
    with igtl(port, np.eye(4)) as server, reading(f"igtl://127.0.0.1:{port}", TYPED) as reader:
        assert reader.until(2).spacing == TYPED
        server.matrix = SCALED
        end = monotonic() + 5.0
        while (frame := reader.next()).spacing == TYPED:
            assert monotonic() < end
        assert frame.spacing is not None
        assert frame.spacing.provenance is Provenance.MATRIX
        server.matrix = np.eye(4)
        while (frame := reader.next()).spacing is not None:
            assert monotonic() < end
        assert frame.no_spacing_reason == CHANGED


def test_a_picture_of_another_size_ends_the_source_with_a_sentence(igtl: Igtl, free_port: FreePort) -> None:
    port = free_port()
    with igtl(port):
        reader = Reader(open_live(f"igtl://127.0.0.1:{port}"))
        reader.until(2)
    with igtl(port, scale=2):
        end, tick = monotonic() + 10.0, threading.Event()
        while not reader.error and monotonic() < end:
            tick.wait(0.01)
    reader.close()
    assert reader.error.startswith("The picture changed from 128 × 96 to 256 × 192 pixels")


def test_nobody_there_is_refused_at_once(free_port: FreePort) -> None:
    begun = monotonic()
    with pytest.raises(SourceError, match="start the server"):
        open_live(f"igtl://127.0.0.1:{free_port()}")
    assert monotonic() - begun < 2.0


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.eye(4), NO_SCALE),
        (np.array([[0, -1, 0, 5], [1, 0, 0, 7], [0, 0, 1, 9], [0, 0, 0, 1.0]]), NO_SCALE),
        (np.diag([0.2, 0.0, 1, 1]), NO_PLANE),
        (np.diag([np.nan, 0.2, 1, 1]), NO_PLANE),
        (np.array([[0.2, 0.2, 0, 0], [0, 0.2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), NO_PLANE),
    ],
)
def test_a_matrix_without_a_scale_gives_none(matrix: NDArray[np.float64], reason: str) -> None:
    assert matrix_spacing(matrix) == (None, reason)


def test_a_rotated_matrix_keeps_each_axis_its_own_scale() -> None:
    angle = 0.7
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    spacing, _ = matrix_spacing(turn @ SCALED)
    assert spacing is not None
    assert (spacing.col_mm, spacing.row_mm) == pytest.approx((0.2, 0.3))


def test_a_sector_first_seen_with_the_probe_lifted_grows_once_tissue_appears() -> None:
    lifted: Pixels = np.zeros((64, 64), np.uint8)
    lifted[2:8, 20:44] = 90
    tissue: Pixels = np.zeros((64, 64), np.uint8)
    tissue[2:60, 4:60] = 80
    sector = GrowingSector()
    for _ in range(40):
        sector.apply(lifted)
    for _ in range(GrowingSector.EVERY):
        shown = sector.apply(tissue)
    assert np.array_equal(shown, tissue)


def test_a_sector_grows_with_what_is_shown_later() -> None:
    speckle = np.random.default_rng(1).integers(40, 250, (200, 200)).astype(np.uint8)  # an even grey is no tissue
    small, large = np.zeros_like(speckle), np.zeros_like(speckle)
    small[60:140, 70:130] = speckle[60:140, 70:130]
    large[20:180, 40:160] = speckle[20:180, 40:160]
    sector = GrowingSector()
    assert np.array_equal(sector.apply(small), small)
    for _ in range(GrowingSector.EVERY):
        shown = sector.apply(large)
    assert np.array_equal(shown, large), "what was found first is no limit"


def test_an_address_is_shown_without_its_password() -> None:
    assert shown_address("rtsp://surgeon:secret@10.1.2.3:554/live") == "rtsp://10.1.2.3:554/live"
    assert is_live("rtsp://10.1.2.3/live")


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://surgeon:secret@camera:554/live",
        "rtsp://surgeon:se/cret@camera/live",
        "rtsp://surgeon:secret@x:y@camera/live",
        "rtsp://surgeon:secret?#@camera/live",
        "rtsp://surgeon@camera/live?password=secret",
        "http://camera/live?usr=surgeon&pwd=secret",
        "http://camera/live;token=secret",
        "http://camera/live#secret",
        "http://camera/live?k=secret",
        "rtsp://camera/user=surgeon_password=secret_channel=1_stream=0.sdp",
        "RTSP://camera/live/auth:secret",
    ],
)
def test_a_password_is_hidden_in_every_form(address: str) -> None:
    shown = shown_address(address)
    assert "secret" not in shown
    assert "cret" not in shown
    assert "surgeon" not in shown
    assert "camera" in shown


def test_what_is_no_password_is_shown() -> None:
    for text in ("udp://127.0.0.1:5000", "igtl://navigation:18944/Image", "http://grabber/monkey/1", "C:\\a@b\\c.dcm"):
        assert shown_address(text) == text
    assert not is_live("/data/clip.dcm")
    assert not is_live("C:\\data\\clip.dcm")


@contextmanager
def udp_sender(port: int) -> Iterator[None]:
    """A real ffmpeg that sends a moving test picture as H.264 in MPEG-TS."""
    ffmpeg = shutil.which("ffmpeg")
    assert ffmpeg, "ffmpeg is missing: packaging/test-tools installs it"
    command = [
        *(ffmpeg, "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-t", "60"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10", "-pix_fmt", "yuv420p"),
        *("-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_a_udp_stream_is_followed_lost_and_found_again(free_port: FreePort) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with udp_sender(port):
        reader = Reader(open_live(f"udp://127.0.0.1:{port}"))
        frame = reader.until(25)
        assert (frame.rows, frame.cols) == (240, 320)
        assert frame.spacing is None
        assert "calibrate" in frame.no_spacing_reason
    try:
        assert reader.silence(for_s=1.0)
        with udp_sender(port):
            assert reader.next(within_s=15).index > frame.index
    finally:
        assert reader.close() < 1.5
