"""OpenIGTLink in and out against its own C++ library, where Debian's `libopenigtlink-dev` is installed."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from inference.export.openigtlink_server import CONTOUR, FRAME, MASK, RESULT, Broadcast
from inference.frame import Frame, Origin, View
from inference.outcome import Analysis, Region, SizeState, Tumour
from inference.sources import open_live
from inference.spacing import PixelSpacing, Provenance

HEADERS = Path("/usr/include/openigtlink")
SOURCE = Path(__file__).with_name("igtl_peer.cpp")
pytestmark = pytest.mark.skipif(
    not HEADERS.is_dir() or shutil.which("g++") is None, reason="libopenigtlink-dev is not installed"
)
ANALYSIS = Analysis("demo", "ab" * 32, "CPUExecutionProvider", 20.0, 15.0, demonstration=True)
LOOP = np.array([[15, 10], [39, 10], [39, 19], [15, 19]], np.float32)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("peer") / "igtl_peer"
    compiler = ["g++", "-std=c++14", "-w", f"-I{HEADERS}", "-o", program, SOURCE, "-lOpenIGTLink", "-lpthread"]
    subprocess.run(compiler, check=True)
    return program


def a_tumour() -> Tumour:
    pixels = np.random.default_rng(0).integers(1, 65_535, (40, 60), np.uint16)
    frame = Frame(7, pixels, PixelSpacing(0.3, 0.2, Provenance.RULER), 100.0, Origin("x.mp4", View.NATIVE, live=True))
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 15:40] = 1
    return Tumour(frame, ANALYSIS, mask, (Region(250, 15.0, (LOOP,), None, None, False, SizeState.AT_MOST_35),))


def lines(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    return map(json.loads, process.stdout)


def test_picture_mask_contour_and_result_arrive_with_their_millimetres(peer: Path) -> None:
    tumour = a_tumour()
    with Broadcast(0, contour=True) as server:
        command = [peer, "read", str(server.address[1]), RESULT]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            told = lines(process)
            assert next(told)["connected"]
            tick = Event()
            while not server.peers:
                tick.wait(0.005)
            server.send(tumour)
            got = {message["name"]: message for message in told}
    assert process.returncode == 0
    assert {name: message["type"] for name, message in got.items()} == {
        FRAME: "IMAGE", MASK: "IMAGE", CONTOUR: "POLYDATA", RESULT: "STRING",
    }  # fmt: skip
    for name, sent in ((FRAME, tumour.frame.pixels), (MASK, tumour.mask)):
        assert got[name]["size"] == [60, 40, 1]
        assert got[name]["spacing"] == pytest.approx([0.2, 0.3])
        assert got[name]["lps"]
        centre = np.array(got[name]["matrix"]).reshape(4, 4)[:3, 3]
        np.testing.assert_allclose(centre, (29.5 * 0.2, 19.5 * 0.3, 0), atol=1e-4)
        np.testing.assert_array_equal(got[name]["pixels"], sent.ravel())
    assert got[CONTOUR]["lines"] == 1
    points = np.array(got[CONTOUR]["points"])
    np.testing.assert_allclose(points[: len(LOOP)], np.column_stack([LOOP * (0.2, 0.3), np.zeros(4)]), atol=1e-4)
    assert got[RESULT]["text"]["area_mm2"] == pytest.approx(15.0)


def test_a_tracked_picture_comes_with_its_scale_its_pixels_and_where_the_probe_was(peer: Path) -> None:
    with subprocess.Popen([peer, "serve"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = f"igtl://127.0.0.1:{int(process.stdout.readline())}/Image?transform=ProbeToTracker"
        try:
            with open_live(address) as source:
                frame = next(source.frames())
        finally:
            process.kill()
    assert frame.spacing is not None
    assert (frame.spacing.row_mm, frame.spacing.col_mm) == pytest.approx((0.3, 0.2))
    assert frame.spacing.provenance is Provenance.MATRIX
    first = int(frame.pixels[0, 0])
    wanted = 1 + (7 * np.arange(64 * 48) + first - 1) % 250
    np.testing.assert_array_equal(frame.pixels.ravel(), wanted)
    assert frame.pose is not None
    # The library states the centre of a picture, and nothing of its own about where that is.
    assert frame.pose.across == pytest.approx((0, 0.2, 0), abs=1e-6)
    assert frame.pose.down == pytest.approx((-0.3, 0, 0), abs=1e-6)
    centre_to_first = -31.5 * np.array(frame.pose.across) - 23.5 * np.array(frame.pose.down)
    np.testing.assert_allclose(frame.pose.origin, np.add((30, -12, 55), centre_to_first), atol=1e-4)
