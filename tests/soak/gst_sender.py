"""A gst-rtsp-server that offers JPEG pictures for ever: `gst_sender.py PORT FOLDER FPS ROWS COLS`. System's Python."""

import sys
from itertools import cycle
from pathlib import Path
from time import monotonic

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
port, folder, fps, rows, cols = sys.argv[1:]
stills = cycle([path.read_bytes() for path in sorted(Path(folder).glob("*.jpg"))])
picture = f"image/jpeg,width={cols},height={rows},framerate={fps}/1"
server = GstRtspServer.RTSPServer(address="127.0.0.1", service=port)
factory = GstRtspServer.RTSPMediaFactory(shared=True)
camera = f"appsrc name=camera is-live=true do-timestamp=true format=time caps={picture}"
factory.set_launch(f"( {camera} ! rtpjpegpay name=pay0 )")


def begin(_: object, media: GstRtspServer.RTSPMedia) -> None:
    """Push pictures at the pace of a camera."""
    camera, begun = media.get_element().get_by_name("camera"), monotonic()

    def push(number: int) -> bool:
        if camera.emit("push-buffer", Gst.Buffer.new_wrapped(next(stills))) == Gst.FlowReturn.OK:
            due = begun + (number + 1) / int(fps) - monotonic()
            GLib.timeout_add(max(0, round(due * 1000)), push, number + 1)
        return False

    push(0)


factory.connect("media-configure", begin)
server.get_mount_points().add_factory("/live", factory)
if not server.attach(None):
    sys.exit("the port is taken")
sys.stdout.write("ready\n")
sys.stdout.flush()
GLib.MainLoop().run()
