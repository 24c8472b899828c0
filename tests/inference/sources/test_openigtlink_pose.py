"""A tracked picture on its way through: sender, our source, record, and out again to a reader of the bare protocol."""

import json
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from outcomes import ANALYSIS
from pyigtl.messages import ImageMessage, TransformMessage

from inference.export.openigtlink_server import CONTOUR, FRAME, MASK, RESULT, Broadcast
from inference.frame import OTHER_SCALE, Frame, Origin, View, rescaled
from inference.outcome import Outcome, Region, Tumour
from inference.pose import Pose
from inference.recording.recorder import Recorder
from inference.source_info import SourceInfo
from inference.sources import open_live
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing, Provenance

GREY = np.random.default_rng(3).integers(40, 250, (1, 120, 160), np.uint8)
SCALE = np.diag([0.2, 0.3, 1.0, 1.0])
HEADER = struct.Struct(">H12s20sIIQQ")


def moved(yaw: float, pitch: float, shift: Sequence[float]) -> NDArray[np.float64]:
    """A rigid transform."""
    (c, s), (d, t) = (np.cos(yaw), np.sin(yaw)), (np.cos(pitch), np.sin(pitch))
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, d, -t], [0, t, d]])
    matrix[:3, 3] = shift
    return matrix


PROBE = moved(0.7, -0.4, (30.0, -12.0, 55.0))


def image(matrix: NDArray[Any], at: float = 100.0, system: str = "lps") -> bytes:
    return bytes(ImageMessage(GREY, matrix, system, timestamp=at, device_name="Image").pack())


def transform(matrix: NDArray[Any], at: float = 100.0, name: str = "ProbeToTracker") -> bytes:
    return bytes(TransformMessage(matrix, timestamp=at, device_name=name).pack())


@contextmanager
def sending(*messages: bytes) -> Iterator[str]:
    """A sender that repeats these messages; gives its address."""
    stop = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)

    def serve() -> None:
        while not stop.is_set():
            try:
                peer, _ = server.accept()
            except TimeoutError:
                continue
            with peer:
                try:
                    while not stop.wait(0.01):
                        peer.sendall(b"".join(messages))
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"igtl://127.0.0.1:{server.getsockname()[1]}/Image"
    finally:
        stop.set()
        thread.join(5.0)
        server.close()


def first(address: str, spacing: PixelSpacing | None = None) -> Frame:
    with open_live(address, spacing=spacing) as source:
        return next(source.frames())


def contoured(frame: Frame) -> Tumour:
    """A square tumour, its outline 20 to 60 across and 30 to 90 down."""
    mask = np.zeros(frame.pixels.shape, np.uint8)
    mask[30:91, 20:61] = 1
    outline = np.array([[20, 30], [60, 30], [60, 90], [20, 90]], np.float32)
    return Tumour(
        frame, ANALYSIS, mask, (Region(61 * 41, None, (outline,), None, None, touches_edge=False, size=None),)
    )


def heard(outcome: Outcome, *before: Outcome) -> dict[str, tuple[str, bytes]]:
    """What a peer gets for the last of these outcomes, as type and body by device name, read without any library."""
    with Broadcast(0, contour=True) as server, closing(socket.create_connection(server.address, 5.0)) as peer:
        end = monotonic() + 5.0
        while server.peers == 0:
            assert monotonic() < end
        for one in (*before, outcome):
            server.send(one)
            got: dict[str, tuple[str, bytes]] = {}
            while RESULT not in got:
                _, kind, name, _, _, size, _ = HEADER.unpack(peer.recv(HEADER.size, socket.MSG_WAITALL))
                got[name.rstrip(b"\0").decode()] = kind.rstrip(b"\0").decode(), peer.recv(size, socket.MSG_WAITALL)
    return got


def told(got: dict[str, tuple[str, bytes]]) -> dict[str, Any]:
    return dict(json.loads(got[RESULT][1][4:]))


def matrix_in(body: bytes) -> tuple[int, NDArray[np.float64]]:
    """Axes and matrix of an IMAGE body: its header holds the picture's centre (protocol, IMAGE)."""
    system, cols, rows, slices, *numbers = struct.unpack(">5xB3H12f", body[:60])
    matrix = np.eye(4)
    matrix[:3] = np.reshape(numbers, (4, 3)).T
    matrix[:, 3] = matrix @ [-(cols - 1) / 2, -(rows - 1) / 2, -(slices - 1) / 2, 1.0]
    return system, matrix


def lines_in(body: bytes) -> list[NDArray[np.float64]]:
    """The lines of a POLYDATA body, (n, 3) each (protocol, POLYDATA)."""
    counts = struct.unpack(">10I", body[:40])
    points = np.frombuffer(body, ">f4", 3 * counts[0], 40).reshape(-1, 3)
    cells, lines = np.frombuffer(body, ">u4", counts[4] // 4, 40 + points.nbytes).tolist(), []
    assert counts[1:3] == (0, 0)
    assert counts[5:] == (0, 0, 0, 0, 0)
    while cells:
        lines.append(points[cells[1 : cells[0] + 1]].astype(np.float64))
        del cells[: cells[0] + 1]
    assert len(lines) == counts[3]
    return lines


@pytest.mark.parametrize(("system", "axes"), [("lps", 2), ("ras", 1)])
def test_a_contour_lands_where_arithmetic_puts_it(system: str, axes: int) -> None:
    matrix = PROBE @ SCALE
    with sending(image(matrix, system=system)) as address:
        frame = first(address)
    got = heard(contoured(frame))
    for name in (FRAME, MASK):
        sent, back = matrix_in(got[name][1])
        assert sent == axes, "the sender's axes, not converted"
        assert back == pytest.approx(matrix, abs=2e-5)
    (line,) = lines_in(got[CONTOUR][1])
    assert line[0] == pytest.approx(line[-1]), "it is closed"
    assert line[:-1].mean(axis=0) == pytest.approx((matrix @ [40, 60, 0, 1])[:3], abs=1e-4)
    assert line[1] - line[0] == pytest.approx(matrix[:3, 0] * 40, abs=1e-4), "40 pixels across are 8 mm"
    assert told(got)["pose"].startswith(f"{system} ")


def test_a_named_transform_moves_the_picture_and_the_contour() -> None:
    other = transform(moved(2.0, 1.0, (9.0, 9.0, 9.0)), name="NeedleToTracker")
    with sending(transform(PROBE), other, image(SCALE)) as address:
        frame = first(f"{address}?transform=ProbeToTracker")
        unmoved = first(address).pose
    assert unmoved is not None
    assert unmoved.matrix == pytest.approx(SCALE, abs=1e-5), "unasked it moves nothing"
    (line,) = lines_in(heard(contoured(frame))[CONTOUR][1])
    assert line[:-1].mean(axis=0) == pytest.approx((PROBE @ SCALE @ [40, 60, 0, 1])[:3], abs=1e-4)
    assert frame.spacing is not None
    assert (frame.spacing.row_mm, frame.spacing.col_mm) == pytest.approx((0.3, 0.2))


def test_a_transform_from_pixels_brings_the_scale_with_it() -> None:
    with sending(transform(PROBE @ SCALE, name="ImageToTracker"), image(np.eye(4))) as address:
        frame = first(f"{address}?transform=ImageToTracker")
    assert frame.spacing is not None
    assert (frame.spacing.row_mm, frame.spacing.col_mm) == pytest.approx((0.3, 0.2))
    assert frame.pose is not None


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ((image(SCALE),), "No transform ProbeToTracker came"),
        ((transform(PROBE, at=99.9), image(SCALE)), "No transform ProbeToTracker came"),
        ((transform(PROBE * np.nan), image(SCALE)), "No transform ProbeToTracker came"),
        ((transform(PROBE @ SCALE), image(SCALE)), "changes lengths"),
    ],
    ids=["none", "old", "no number", "scales twice"],
)
def test_a_tracked_frame_without_its_place_is_never_sent_as_a_picture(messages: Any, reason: str) -> None:
    with sending(*messages) as address:
        frame = first(f"{address}?transform=ProbeToTracker")
    assert frame.pose is None
    assert reason in frame.no_pose_reason
    assert frame.spacing is not None, "its area stays right"
    assert set(heard(contoured(frame))) == {RESULT}
    known = replace(frame, pose=Pose.of_matrix(PROBE @ SCALE), no_pose_reason="")
    got = heard(contoured(frame), contoured(known))
    assert lines_in(got[CONTOUR][1]) == [], "what was shown before is taken away"
    assert not any(got[MASK][1][72:])
    assert matrix_in(got[MASK][1])[1] == pytest.approx(PROBE @ SCALE, abs=2e-5)
    assert reason in told(got)["no_pose_reason"]


def test_a_scale_given_by_hand_takes_a_pose_of_another_scale_away() -> None:
    typed = PixelSpacing(0.5, 0.5, Provenance.TYPED)
    with sending(image(PROBE @ SCALE)) as address:
        frame = first(address, typed)
    assert (frame.pose, frame.no_pose_reason) == (None, OTHER_SCALE)
    with sending(image(np.eye(4))) as address:
        plain = first(address, typed)
    assert (plain.pose, plain.no_pose_reason) == (None, ""), "a sender without a tracker places nothing anyway"
    assert matrix_in(heard(contoured(plain))[FRAME][1])[1] == pytest.approx(np.diag([0.5, 0.5, 1, 1]), abs=1e-5)


def test_no_frame_has_a_pose_of_another_scale() -> None:
    pose, spacing = Pose.of_matrix(PROBE @ SCALE), PixelSpacing(0.3, 0.2, Provenance.MATRIX)
    frame = Frame(0, GREY[0], spacing, 0.0, Origin("PLUS", View.NATIVE, live=True), pose=pose)
    with pytest.raises(ValueError, match="on a frame of"):
        replace(frame, spacing=PixelSpacing(0.3, 0.3, Provenance.TYPED))
    assert rescaled(frame, PixelSpacing(0.3, 0.2, Provenance.TYPED), "").pose == pose
    assert rescaled(frame, None, "lost").no_pose_reason == OTHER_SCALE


def test_a_record_keeps_each_frames_own_pose(tmp_path: Path) -> None:
    spacing, origin = PixelSpacing(0.3, 0.2, Provenance.MATRIX), Origin("PLUS", View.NATIVE, live=True)
    poses = [Pose.of_matrix(moved(0.1 * n, 0.2, (n, 0, 0)) @ SCALE, "ras") for n in range(4)]
    recorder = Recorder(tmp_path / "r.mcap", SourceInfo(origin, 120, 160, spacing, "", (0.0, 255.0)), start=0.0)
    for number, pose in zip(count(), poses):
        recorder.frame(Frame(number, GREY[0], spacing, number / 20, origin, pose=pose))
    recorder.frame(Frame(4, GREY[0], spacing, 0.2, origin, no_pose_reason="No transform."))
    assert recorder.close().error == ""
    with RecordSource(tmp_path / "r.mcap") as record:
        assert [record.read(number).pose for number in range(5)] == [*poses, None]
        assert record.read(4).no_pose_reason == "No transform."
    with RecordSource(tmp_path / "r.mcap", typed=PixelSpacing(1.0, 1.0, Provenance.TYPED)) as record:
        assert record.read(0).pose is None
