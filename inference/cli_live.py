"""ius-segment live: guards, records and OpenIGTLink as in the window, without the window."""

import argparse
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from inference.errors import ChoiceError
from inference.files import outbox_folder
from inference.jobs.courier import Courier
from inference.live.address import host_and_port
from inference.live.duration import duration_s
from inference.live.headless import Stop, follow
from inference.live.line_output import LineOutput, putting
from inference.live.opening import load_model, open_source
from inference.live.publisher import Publisher
from inference.live.session import Session
from inference.model.placement import add_placement, placement_of
from inference.readout.formatting import counted
from inference.recording.schema import End
from inference.safety import INTENDED_USE
from inference.signals import ending
from inference.sources import is_live
from inference.view_notes import Phase, ViewNotes

WELL, BROKE = 0, 1


def live(arguments: argparse.Namespace) -> int:
    """Analyse a live source without a window; print one line of JSON per outcome to stdout until stopped."""
    if not is_live(arguments.address):
        raise ChoiceError(f"{arguments.address} is no live source: use `ius-segment run` for a file.")
    session, model = Session(open_source, partial(load_model, placement=placement_of(arguments))), arguments.model
    output = LineOutput(putting(sys.stdout))
    courier = Courier(outbox_folder(), lambda sentence, _: _say(sentence))
    with _stop() as stop, closing(output), closing(session), courier:
        if arguments.send is not None:
            from inference.export.openigtlink_server import Broadcast

            host, port = arguments.send
            session.publish_to(Publisher(Broadcast(port, host, contour=arguments.send_contour)))
        session.notes = ViewNotes(arguments.phase)
        session.load(None if model is None else Path(model), chosen=model is not None)
        _say(INTENDED_USE)
        record = None if arguments.record is None else Path(arguments.record)
        ended = follow(
            session, arguments.address, output.write, stop, say=_say, record=record, seconds=arguments.seconds
        )
    error = ended.error or output.error or ("" if ended.record is None else ended.record.error)
    _say(f"{ended.outcomes} outcomes, {ended.dropped} frames passed over by newer ones")
    if output.missed:
        _say(f"{counted(output.missed, 'line')} passed over, since nobody read those before")
    if ended.record is not None:
        _say(f"{ended.record.frames} frames recorded, {ended.record.dropped} dropped")
    if error:
        _say(f"error: {error}")
    return BROKE if error else WELL


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to ius-segment."""
    command = commands.add_parser("live", help=live.__doc__, description=live.__doc__)
    add = command.add_argument
    add_placement(command)
    add("address", metavar="ADDRESS", help="igtl://, rtsp://, udp:// or http:// address, device:NAME, or simulated:?")
    add(
        "--model",
        metavar="ONNX",
        help="model with a contract; unnamed, the demonstration model analyses no live picture",
    )
    add("--record", metavar="FILE", help="write frames and outcomes to this .mcap, which must not be there yet")
    add("--send", type=host_and_port, metavar="[HOST:]PORT", help="send by OpenIGTLink; to this computer by default")
    add("--send-contour", action="store_true", help="with --send: contours as POLYDATA too, in mm")
    add(
        "--seconds",
        type=duration_s,
        metavar="N",
        help="end after so long; else Ctrl-C, SIGTERM, SIGHUP or a closed pipe end it",
    )
    add("--phase", type=_phase, default=Phase.UNSET, help="of surgery: before_dura, dura_open or resection")
    command.set_defaults(command=live)


def _phase(text: str) -> Phase:
    try:
        return Phase.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not before_dura, dura_open or resection") from error


@contextmanager
def _stop() -> Iterator[Stop]:
    """Give what a signal sets, and also the end of the process that reads stdout."""
    stop, over = Stop(), threading.Event()
    watching = threading.Thread(target=_watch_pipe, args=(stop, over), name="ius-stdout", daemon=True)
    watching.start()
    try:
        with ending(stop.set):
            yield stop
    finally:
        over.set()
        watching.join()


def _watch_pipe(stop: Stop, over: threading.Event) -> None:
    """Watch stdout: while the signal is lost, no line is written whose failure would show that the reader has gone."""
    if not hasattr(select, "poll"):  # Windows: the next line that is written will fail
        return
    poll = select.poll()
    poll.register(1, 0)
    while not over.wait(0.1):
        if any(event & select.POLLERR for _, event in poll.poll(0)):
            stop.set(End.CLOSED)


def _say(sentence: str) -> None:
    """Write to the error output, unless that was a terminal which is closed now."""
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)
