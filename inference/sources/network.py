"""Network video: rtsp, udp and the like, decoded in a separate process. It does not know the scale."""

from inference.sources.live import Connection, Live
from inference.sources.paths import shown_address
from inference.sources.remote import RemoteConnection
from inference.spacing import PixelSpacing


class NetworkSource(Live):
    """Frames of a network stream, grey; everything outside the sector is exactly 0.

    Args:
        url: for example rtsp://host/stream or udp://127.0.0.1:5000.
        typed: the user's own scale.

    Raises:
        SourceError: if no picture comes.
    """

    def __init__(self, url: str, *, typed: PixelSpacing | None = None) -> None:
        self._url = url
        super().__init__(shown_address(url), typed)

    def _connect(self) -> Connection:
        return RemoteConnection(self._url, shown_address(self._url))
