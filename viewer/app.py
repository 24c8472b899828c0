"""`ius-viewer`: builds the session and the window."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from inference.live.address import host_and_port
from inference.live.duration import duration_s
from inference.model.placement import FIRST_CARD, Placement, add_placement, placement_of
from inference.release import ShowVersion

if TYPE_CHECKING:
    from inference.live.exception_hooks import Faults
    from inference.live.model import Model
    from inference.live.requests import Opened, Refusal, SourceRequest
    from viewer.main_window import MainWindow

STARTED_AT = monotonic()
USUAL = (1280, 800)
"""Size of the first window, px."""
HEADLESS_S = 10.0
"""How long a window that nobody can see runs, unless `--exit-after` says otherwise."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the viewer.

    Returns:
        0; 1 after an unexpected error; 2 if, in a run with a set end, source or model was refused or an output could
        not be written.
    """
    wanted = _parser().parse_args(argv)
    headless = _choose_platform()
    from platformdirs import user_log_path
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from inference.files import outbox_folder
    from inference.jobs.courier import Courier
    from inference.live.exception_hooks import Faults, installed
    from inference.signals import ending

    application = QApplication.instance() or QApplication(sys.argv[:1])
    application.setApplicationName("ius-viewer")
    seconds = wanted.exit_after if wanted.exit_after is not None else HEADLESS_S if headless else None
    found, outputs = Faults(), list[Output]()

    def end(how: str) -> None:
        """Between two turns of the event loop, or when it starts: a slot is no place to close the window in."""
        QTimer.singleShot(0, application, lambda: window.end(how))

    with (
        installed(found, user_log_path("ius", appauthor=False)) as log,
        log.open("a", encoding="utf-8") as hung,
        ending(end, hung),
    ):
        window = build(wanted, found)
        window.show()
        if seconds is not None:
            _end_after(window, seconds, wanted, outputs)
        with Courier(outbox_folder(), window.state.background.say):
            application.exec()
        unwritten = (*window.unwritten, *filter(None, map(_refused, outputs)))
    refused = [text for text in (window.session.source_refusal, window.session.model_refusal, *unwritten) if text]
    broken = list(iter(found.take, None))
    for sentence in (*refused, *broken):
        sys.stderr.write(f"error: {sentence}\n")
    if refused and seconds is not None:
        return 2
    return 1 if broken else 0


def build(wanted: argparse.Namespace, found: "Faults") -> "MainWindow":
    """Build the window; source and model are opened in the background."""
    from inference.live.requests import DEMO, SourceRequest
    from inference.live.session import Session
    from inference.view_notes import Phase
    from viewer import settings
    from viewer.main_window import MainWindow

    session = Session(open_source, partial(load_model, placement=placement_of(wanted)))
    remembered = settings.load()
    window = MainWindow(session, remembered, found, Phase.parse(wanted.phase))
    fit_screen(window)
    first_run = wanted.source is None and not wanted.demo
    text = DEMO if wanted.demo or wanted.source is None else wanted.source
    window.handlers.open_source(
        SourceRequest(text, wanted.axis, wanted.spacing, wanted.region, wanted.config, wanted.truth)
    )
    window.handlers.open_model(
        None if wanted.model is None else Path(wanted.model).expanduser().absolute(), chosen=wanted.model is not None
    )
    if wanted.send is not None:
        _send(window, *wanted.send, contour=wanted.send_contour)
    if first_run and not remembered.introduced:
        window.introduce()
    return window


def fit_screen(window: "MainWindow") -> None:
    """Give the window its usual size, or the whole screen if the usual size would not fit."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication

    from viewer.style.theme import FRAME

    window.resize(*USUAL)
    free, nobody_looks = window.screen().availableSize(), QGuiApplication.platformName() == "offscreen"
    roomy = free.width() >= USUAL[0] + FRAME[0] and free.height() >= USUAL[1] + FRAME[1]
    if not roomy and not nobody_looks:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)


def _send(window: "MainWindow", host: str, port: int, *, contour: bool) -> None:
    """Start sending by OpenIGTLink; if the port is taken, say so and go on without sending."""
    from inference.export.openigtlink_server import Broadcast
    from inference.live.opening import or_refusal
    from inference.live.publisher import Publisher
    from inference.live.requests import Refusal

    server = or_refusal(lambda: Broadcast(port, host, contour=contour))
    if isinstance(server, Refusal):
        window.view.picture_area.say(server.sentence, monotonic())
    else:
        window.session.publish_to(Publisher(server))


def open_source(request: "SourceRequest") -> "Opened | Refusal":
    """Open the source the user wants, or say why not; libraries are loaded in the loader's thread, off the window's."""
    from inference.live import opening

    return opening.open_source(request)


def load_model(path: Path | None, placement: Placement = FIRST_CARD) -> "Model | Refusal":
    """Load a model (None: the bundled one), or say why not."""
    from inference.live import opening

    return opening.load_model(path, placement)


def _choose_platform() -> bool:
    """Without a display, draw off screen and say so. Returns True in that case."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return os.environ.get("QT_QPA_PLATFORM") == "offscreen"
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return False
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    sys.stderr.write("ius-viewer: no display here, drawing offscreen\n")
    return True


class Output(NamedTuple):
    """A file that is written once the window is closed, as its drive may be dead.

    Attributes:
        kind: what it is, in one word.
        path: the file.
        write: writes it.
    """

    kind: str
    path: Path
    write: Callable[[], None]


def _end_after(window: "MainWindow", seconds: float, wanted: argparse.Namespace, outputs: list[Output]) -> None:
    """Close the window after `seconds`, and take what is to be written of it then."""
    from PySide6.QtCore import QTimer

    def end() -> None:
        if wanted.status is not None:
            outputs.append(Output("status", wanted.status, _status(window, wanted.status)))
        if wanted.screenshot is not None:
            outputs.append(Output("picture", wanted.screenshot, _screenshot(window, wanted.screenshot)))
        window.close()

    QTimer.singleShot(round(seconds * 1000), window, end)


def _status(window: "MainWindow", path: Path) -> Callable[[], None]:
    """Take the status of this moment; what is returned writes it."""
    from inference.files import write_text
    from inference.live.status_report import report

    values = report(window.meter, window.session.status(), window.session.model, window.shown, STARTED_AT)
    return partial(write_text, path, json.dumps(values, indent=2) + "\n")


def _screenshot(window: "MainWindow", path: Path) -> Callable[[], None]:
    """Take a picture of the window; what is returned writes it."""
    from inference.errors import OutputError
    from inference.files import replacing

    picture = window.grab().toImage()

    def write() -> None:
        with replacing(path) as aside:
            if not picture.save(str(aside), "PNG"):  # type: ignore[call-overload]  # PySide takes text alone
                raise OutputError(f"{path} cannot be written: choose another folder.")

    return write


def _refused(output: Output) -> str:
    """Write an output, for a limited time; the sentence if it cannot be written, else empty."""
    from inference.errors import OutputError, SourceError
    from inference.patience import ANSWER_S, SILENT, in_time

    try:
        in_time(output.write, ANSWER_S, SILENT.format(output.path))
    except (OutputError, SourceError) as error:
        return str(error)
    sys.stderr.write(f"{output.kind}: {output.path}\n")
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ius-viewer",
        description="Brain tumour contour and area on intra-operative ultrasound. "
        "Research use only. Not for diagnosis or treatment.",
    )
    add = parser.add_argument
    add("--version", action=ShowVersion)
    add(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="a picture, folder, volume, DICOM or video; igtl://, rtsp:// or udp://; or simulated:",
    )
    add("--demo", action="store_true", help="the bundled clip and model")
    add("--model", metavar="ONNX", help="a model with a contract; the bundled one by default")
    add_placement(parser)
    add("--axis", choices=("i", "j", "k"), default="k", help="along which a volume is swept")
    add("--spacing", type=_spacing, metavar="ROW,COL", help="mm a pixel, where you know better than the file")
    add("--region", type=int, metavar="N", help="which ultrasound region of a DICOM picture")
    add("--config", type=Path, metavar="FILE", help="PLUS configuration with the scale of a tracked sequence")
    add("--truth", type=Path, metavar="MASKS", help="true masks of a recording: drawn beside the contour, with Dice")
    add("--phase", choices=("unset", "before_dura", "dura_open", "resection"), default="unset", help="phase of surgery")
    add(
        "--send",
        type=host_and_port,
        metavar="[HOST:]PORT",
        help="send frame, mask and area by OpenIGTLink; to this computer only, unless HOST says otherwise",
    )
    add("--send-contour", action="store_true", help="with --send: contours as POLYDATA too, in mm")
    add("--exit-after", type=duration_s, metavar="SECONDS", help="close by itself")
    add("--screenshot", type=Path, metavar="PNG", help="written at the end of --exit-after")
    add("--status", type=Path, metavar="JSON", help="counts and latencies, written at the end of --exit-after")
    return parser


def _spacing(text: str) -> object:
    """Parse `ROW,COL` in mm."""
    from inference.errors import SpacingError
    from inference.spacing import typed

    try:
        return typed(text)
    except SpacingError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
