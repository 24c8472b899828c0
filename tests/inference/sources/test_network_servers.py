"""Servers of network video on loopback: motion JPEG over HTTP, and RTSP that is lost and found again."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import monotonic

import cv2
import pytest
from following import following, wait_for, wait_for_silence
from senders import SYSTEM_PYTHON, has_rtsp, running

from inference.errors import SourceError
from inference.sources.network import NetworkSource
from inference.sources.simulated import PhantomSource

FreePort = Callable[..., int]


@contextmanager
def mjpeg(port: int) -> Iterator[str]:
    """A server that sends the phantom as motion JPEG to whoever connects."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(10.0)

    def serve() -> None:
        phantom, number = PhantomSource(rows=96, cols=128, count=40), 0
        client, _ = listener.accept()
        with client:
            client.recv(4096)
            client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n")
            while not stop.wait(0.05):
                jpeg = cv2.imencode(".jpg", phantom.read(number % 40).pixels)[1].tobytes()
                head = f"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                try:
                    client.sendall(head + jpeg + b"\r\n")
                except OSError:
                    return
                number += 1

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/live.mjpg"
    finally:
        stop.set()
        thread.join()
        listener.close()


def test_motion_jpeg_over_http_is_followed(free_port: FreePort) -> None:
    with mjpeg(free_port()) as url, closing(NetworkSource(url)) as source:
        frames = [frame for frame, _ in zip(source.frames(), range(10), strict=False)]
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
    assert frames[0].pixels.shape == (96, 128)


def test_a_source_is_called_by_its_address_without_the_password(free_port: FreePort) -> None:
    """The name stands on the screen, in records, in presets and in exports."""
    port = free_port()
    with mjpeg(port) as url, closing(NetworkSource(url.replace("//", "//surgeon:secret@"))) as source:
        assert source.info.origin.name == f"http://127.0.0.1:{port}/live.mjpg"


@pytest.mark.parametrize("status", [401, 403])
def test_a_sender_that_lets_nobody_in_is_told_from_a_silent_one(free_port: FreePort, status: int) -> None:
    """FFmpeg asks again with the name and password once it is told that they are wanted."""

    class Locked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("WWW-Authenticate", 'Basic realm="ultrasound"')
            self.end_headers()

    port = free_port()
    with HTTPServer(("127.0.0.1", port), Locked) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with pytest.raises(SourceError, match="lets nobody in without the right name and password") as refused:
            NetworkSource(f"http://surgeon:secret@127.0.0.1:{port}/live.mjpg")
        server.shutdown()
        thread.join()
    assert "secret" not in str(refused.value)


RTSP_SERVER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer(address="127.0.0.1", service=sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory(shared=True)
picture = "video/x-raw,format=I420,width=320,height=240,framerate=25/1"
factory.set_launch(f"( videotestsrc is-live=true pattern=ball ! {picture} ! jpegenc ! rtpjpegpay name=pay0 )")
server.get_mount_points().add_factory("/live", factory)
if not server.attach(None):
    sys.exit("the port is taken")
print("ready", flush=True)
GLib.timeout_add_seconds(60, sys.exit)
GLib.MainLoop().run()
"""


@pytest.fixture(scope="module")
def gst_rtsp() -> None:
    """Leaves out what needs gst-rtsp-server where it is not."""
    if not has_rtsp():
        pytest.skip("gst-rtsp-server is not here: apt install python3-gi gir1.2-gst-rtsp-server-1.0")


@pytest.mark.usefixtures("gst_rtsp")
def test_an_rtsp_stream_is_followed_lost_and_found_again(free_port: FreePort) -> None:
    port = free_port()
    serve = [SYSTEM_PYTHON, "-c", RTSP_SERVER, str(port)]
    with ExitStack() as stack:
        with running(serve, says_ready=True):
            newest = stack.enter_context(following(NetworkSource(f"rtsp://127.0.0.1:{port}/live")))
            frame = wait_for(newest)
            assert frame.pixels.shape == (240, 320)
            assert frame.spacing is None
            begun, number = monotonic(), frame.index
            while frame.index < number + 50:
                frame = wait_for(newest)
            assert monotonic() - begun < 4.0  # two seconds of the sender's
        wait_for_silence(newest)
        with running(serve, says_ready=True):
            assert wait_for(newest).index > frame.index
