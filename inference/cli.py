"""ius-segment: the engine without a window, for files and live sources.

Exit codes: 0 success; 1 some frames failed or were not analysed; 2 bad input.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from inference import cli_live
from inference.assets import demo_model_path
from inference.contract import Mode
from inference.errors import ChoiceError, IusError, OutputError, SourceError
from inference.export.nameless import source_name, unnamed
from inference.export.readings import QUALITY, UNLIKE, failed_row, reading_row, spacing_cells, write_readings
from inference.files import make_folder, outbox_folder, remove, write_text
from inference.frame import Mask
from inference.guards.all import every_guard
from inference.guards.watch import Watch
from inference.live import policy
from inference.live.guarded_source import guarded
from inference.live.line_output import unwritten
from inference.model.placement import add_placement, placement_of
from inference.nifti import MOST_PICTURES, other_scale
from inference.outcome import NothingFound, Outcome, Tumour
from inference.patience import ANSWER_S
from inference.release import ShowVersion
from inference.safety import DEMONSTRATION, INTENDED_USE
from inference.signals import insisting
from inference.sources import open_source
from inference.sources.base import RecordedSource
from inference.sources.paths import RECORDS, is_dicom, suffix_of
from inference.spacing import REMEDY, typed
from inference.version import SOFTWARE

if TYPE_CHECKING:
    from inference.model.engine import Engine
    from inference.model.segmenter import Segmenter

UNGUARDED = "The guards were switched off: frames that the window would refuse were analysed."
WELL, SOME_FAILED, BAD_INPUT, STOPPED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        with insisting(ANSWER_S, STOPPED, "error: stopped, since a drive does not answer: is it connected?"):
            code: int = arguments.command(arguments)
    except IusError as error:
        print(f"error: {_with_options(_pickable(error))}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("error: stopped before the end: what it was writing is missing, or there in part.", file=sys.stderr)
        return STOPPED
    return code


def _with_options(sentence: str) -> str:
    """A source's sentence, worded for the window, with the command-line options that do the same."""
    sentence = sentence.replace(REMEDY, f"{REMEDY} (--spacing ROW,COL)")
    return sentence.replace("give its PLUS configuration", "give its PLUS configuration (--config FILE)")


def _pickable(error: IusError) -> str:
    """An error's sentence, with the regions that it asks to choose from."""
    from inference.sources.dicom_region import PICK

    regions = error.regions if isinstance(error, ChoiceError) else ()
    options = " or ".join(f"--region {number} ({words})" for number, words in regions)
    return str(error).replace(PICK, f"choose {options}") if options else str(error)


def run(arguments: argparse.Namespace) -> int:
    """Analyse every frame; write readings.csv, masks.nii.gz and summary.json."""
    from inference.model.engine import Engine
    from inference.model.segmenter import Segmenter

    with closing(_opened(arguments, arguments.region)) as source:
        if len(source) > MOST_PICTURES:  # told before hours of work, not after them
            raise ChoiceError(f"{len(source)} frames are more than masks.nii.gz can hold ({MOST_PICTURES}): cut them.")
        path = demo_model_path() if arguments.model is None else Path(arguments.model)
        engine = Engine.load(path, placement=placement_of(arguments))
        out = make_folder(Path(arguments.out))
        notices = [*_notices(engine, source), *(() if arguments.guards else (UNGUARDED,))]
        print("\n".join([*notices, *engine.fallbacks]), file=sys.stderr)
        guards = every_guard() if arguments.guards else None
        rows, masks, overheads_ms = _analyse(source, Segmenter(engine, mode=arguments.mode), guards)
        for former in ("summary.json", "masks.nii.gz"):  # of the run before, which must not stand beside our readings
            remove(out / former)
        write_readings(out / "readings.csv", rows, (UNLIKE, *QUALITY))
        source.save_masks(masks, str(out / "masks.nii.gz"))
        if other := other_scale(out / "masks.nii.gz", source.info):
            notices.append(other)
            print(other, file=sys.stderr)
    counts = Counter(str(row["outcome"]) for row in rows)
    summary = {
        "software": SOFTWARE,
        "source": source_name(source.info.origin),
        "frames": len(rows),
        **{outcome: counts[outcome] for outcome in ("tumour", "none", "failed", "not_analysed")},
        **spacing_cells(source.info.spacing),
        "model": engine.contract.identity.name,
        "model_sha256": engine.sha256,
        "precision": engine.contract.provenance.precision,
        "mode": arguments.mode.value,
        "guards": arguments.guards,
        "unlike_training": sum(bool(row.get(UNLIKE)) for row in rows),
        "likely_to_fail": None if engine.contract.certainty_in(arguments.mode) is None else _likely_to_fail(rows),
        "provider": engine.provider,
        "fallbacks": list(engine.fallbacks),
        "overhead_ms": round(median(overheads_ms), 3) if overheads_ms else None,
        "notices": [unnamed(notice, source.info.origin) for notice in notices],
        "readings": "readings.csv",
        "masks": "masks.nii.gz",
    }
    write_text(out / "summary.json", _json(summary))
    _say(arguments, summary)
    return SOME_FAILED if counts["failed"] or counts["not_analysed"] else WELL


def _likely_to_fail(rows: Sequence[Mapping[str, object]]) -> int:
    return sum(row.get("likely_to_fail") == "true" for row in rows)


def inspect(arguments: argparse.Namespace) -> int:
    """Print a source's number of frames, their size, their scale or why there is none, and what to know beforehand."""
    choice = ""
    try:
        source = _opened(arguments, arguments.region)
    except ChoiceError as error:
        if arguments.region is not None or not is_dicom(Path(arguments.source)):
            raise
        from inference.sources.dicom_region import WHOLE

        source, choice = _opened(arguments, WHOLE), _pickable(error)
    with closing(source):
        info = source.info
        seen: dict[str, object] = {"frames": len(source), "rows": info.rows, "cols": info.cols}
        seen |= spacing_cells(info.spacing)
        if suffix_of(Path(arguments.source)) in RECORDS:
            seen["record"] = info.notice or "whole"
        elif info.notice:
            seen["notice"] = info.notice
        if info.spacing is None:
            seen |= {"spacing_provenance": None, "reason": _with_options(choice or info.no_spacing_reason)}
    _say(arguments, seen)
    return WELL


def model(arguments: argparse.Namespace) -> int:
    """Load a model, test it on its own golden cases, and print its contract."""
    from inference.model.engine import Engine

    engine = Engine.load(Path(arguments.file), placement=placement_of(arguments))
    described = {
        "file": engine.path.name,
        "sha256": engine.sha256,
        "provider": engine.provider,
        "fallbacks": list(engine.fallbacks),
        "warm_up_ms": round(engine.warm_up_ms, 3),
        "self_test": {
            "passed": engine.self_test.passed,
            "mismatched_per_million": engine.self_test.mismatched_per_million,
            "cases": engine.self_test.cases,
        },
        "contract": json.loads(engine.contract.to_json()),
    }
    _say(arguments, described)
    return WELL


def export(arguments: argparse.Namespace) -> int:
    """Write a record's readings, masks, frames, summary page and plot, and chosen frames as PNG and DICOM."""
    from inference.export.deidentified import DeidentifiedRecord
    from inference.export.record import export_record
    from inference.export.video import write_video
    from inference.sources.record import RecordSource

    with closing(open_source(arguments.record)) as source:
        if not isinstance(source, RecordSource):
            raise ChoiceError(f"{arguments.record} is no record: give a .mcap that the viewer wrote, or use `run`.")

        def shown(numbers: range) -> Iterable[int]:
            return tqdm(numbers, unit="frame", file=sys.stderr)

        out = make_folder(Path(arguments.out))
        files = export_record(source, out, chosen=arguments.frame, watch=shown)
        if arguments.video or arguments.dicom:
            with DeidentifiedRecord(Path(arguments.record), None) as nameless:
                if arguments.video:
                    files.append(write_video(nameless, out / "video.mp4", watch=shown))
                if arguments.dicom:
                    from inference.export.clip import write_clip  # highdicom takes a second to import

                    files += write_clip(nameless, out / "clip.dcm", watch=shown)
        seen: dict[str, object] = {"record": source.info.origin.name, "frames": len(source), "whole": source.finished}
    _say(arguments, seen | {"files": [str(file) for file in files]})
    return WELL


def send(arguments: argparse.Namespace) -> int:
    """Send DICOM files to an archive (C-STORE, STOW-RS); what it does not take waits in the outbox for the next try."""
    from inference.export.outbox import node_of, outbox_to, outboxes
    from inference.jobs.courier import attempts

    address, root = arguments.to.rstrip("/"), Path(arguments.outbox) if arguments.outbox else outbox_folder()
    node, outbox = node_of(address), outbox_to(root, address)
    if arguments.instead_of is not None:
        outbox.take_over(outbox_to(root, arguments.instead_of))
    known = 0
    for file in arguments.files:
        known += not outbox.put(Path(file), identified=arguments.with_names, again=arguments.again)
    taken = again = warned = 0
    for sent in attempts(address, outbox) if arguments.wait else [outbox.send(node)]:
        taken, again, warned = taken + sent.taken, again + sent.again, warned + sent.warned
        if arguments.wait and sent.left:
            print(f"{sent.left} waiting: {sent.why}", file=sys.stderr)
    told: dict[str, object] = {"sent": taken, "sent_again": again, "sent_with_warning": warned}
    told |= {"arrived_before": known, "waiting": sent.left}
    told["waiting_elsewhere"] = {at: len(other.waiting()) for at, other in outboxes(root) if at != address}
    _say(arguments, told | {"reason": sent.why})
    return SOME_FAILED if sent.left else WELL


def fetch(arguments: argparse.Namespace) -> int:
    """Fetch the ultrasound of a study from an archive (C-FIND, C-GET), as it is there, with any name in it."""
    from inference.sources.archive import Fetched, Node, OnePatient, find, series_folder
    from inference.sources.archive import fetch as fetch_series

    node = Node.parse(getattr(arguments, "from"))
    found = find(node, study=arguments.study, accession=arguments.accession)
    told: dict[str, object] = {"series": len(found), "files": sum(one.count or 0 for one in found)}
    if arguments.out is None:
        _say(arguments, told)
        return WELL
    out = make_folder(Path(arguments.out))
    folders, came, patient = list[Path](), list[Fetched](), OnePatient()
    for one in found:
        folders.append(series_folder(out, one))  # told from the others by what is in them
        came.append(fetch_series(node, one, folders[-1], patient))
    missing, why = sum(one.failed for one in came), next((one.why for one in came if one.why), "")
    told |= {"fetched": sum(len(one.files) for one in came), "missing": missing, "reason": why}
    _say(arguments, told | {"folders": [str(folder) for folder in folders]})
    return SOME_FAILED if missing else WELL


def _analyse(
    source: RecordedSource, segmenter: "Segmenter", guards: Watch | None
) -> tuple[list[dict[str, object]], list[Mask], list[float]]:
    """Analyse every frame, dropping none. Returns rows, masks, and the milliseconds spent outside the network."""
    nothing: Mask = np.zeros((source.info.rows, source.info.cols), np.uint8)
    rows: list[dict[str, object]] = []
    masks: list[Mask] = []
    overheads_ms: list[float] = []
    contract = segmenter.engine.contract
    for index in tqdm(range(len(source)), unit="frame", file=sys.stderr):
        outcome: Outcome | None = None
        try:
            frame = source.read(index)
            believed = frame if guards is None else guarded(frame, guards, contract.input.seen)
            outcome = policy.answer(believed, segmenter, contract)
            rows.append(reading_row(outcome))
        except SourceError as error:
            rows.append(failed_row(index, source.info, unnamed(str(error), source.info.origin)))
        masks.append(outcome.mask if isinstance(outcome, Tumour) else nothing)
        if isinstance(outcome, Tumour | NothingFound):
            overheads_ms.append(outcome.analysis.latency_ms - outcome.analysis.network_ms)
    return rows, masks, overheads_ms


def _notices(engine: "Engine", source: RecordedSource) -> list[str]:
    """The sentences that must accompany the numbers."""
    notices = [INTENDED_USE, *([source.info.notice] if source.info.notice else [])]
    if engine.contract.population.simulated and not source.info.origin.simulated:
        notices.append(DEMONSTRATION)
    if source.info.spacing is None and not source.info.scale_varies:  # else the source's notice says so
        notices.append(f"Not analysed: {_with_options(source.info.no_spacing_reason)}")
    return notices


def _opened(arguments: argparse.Namespace, region: int | None) -> RecordedSource:
    spacing = None if arguments.spacing is None else typed(arguments.spacing)
    config = None if arguments.config is None else Path(arguments.config)
    return open_source(arguments.source, axis=arguments.axis, spacing=spacing, region=region, config=config)


def _say(arguments: argparse.Namespace, values: dict[str, object]) -> None:
    """Print the values as JSON, or one per line.

    Raises:
        OutputError: if nobody reads them any more, or the disk is full.
    """
    text = _json(values) if arguments.json else "\n".join(f"{key}: {value}" for key, value in values.items())
    try:
        print(text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python's exit fails on what is left of it
        raise OutputError(unwritten(error)) from error


def _json(values: dict[str, object]) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ius-segment", description=f"Brain tumour on ultrasound. {INTENDED_USE}")
    parser.add_argument("--version", action=ShowVersion)
    commands = parser.add_subparsers(required=True, metavar="run|live|inspect|export|send|fetch|model")
    of_source = argparse.ArgumentParser(add_help=False)
    of_source.add_argument(
        "source", metavar="SOURCE", help="picture, folder, volume, sequence, DICOM, video, record, or simulated:"
    )
    of_source.add_argument("--axis", choices="ijk", default="k", help="NIfTI axis along which a volume is swept")
    of_source.add_argument("--spacing", metavar="ROW,COL", help="mm a pixel; goes before the file's own")
    of_source.add_argument("--region", type=int, metavar="N", help="ultrasound region of a DICOM, from 0")
    of_source.add_argument("--config", metavar="FILE", help="PLUS configuration with the scale of a tracked sequence")
    of_all = argparse.ArgumentParser(add_help=False)
    of_all.add_argument("--json", action="store_true", help="JSON on stdout, everything else on stderr")

    command = commands.add_parser("run", parents=[of_source, of_all], help=run.__doc__, description=run.__doc__)
    command.add_argument("--model", metavar="ONNX", help="model with a contract; default: the demonstration model")
    command.add_argument("--out", metavar="DIR", required=True, help="folder for the results")
    command.add_argument(
        "--thorough",
        dest="mode",
        action="store_const",
        const=Mode.THOROUGH,
        default=Mode.FAST,
        help="the mean over all mirrors: up to four times slower",
    )
    add_placement(command)
    command.set_defaults(command=run)
    command.add_argument(
        "--no-guards",
        dest="guards",
        action="store_false",
        help="also analyse frames that the guards forbid to believe: coloured, split, written over, lifted, black",
    )
    command = commands.add_parser(
        "inspect", parents=[of_source, of_all], help=inspect.__doc__, description=inspect.__doc__
    )
    command.set_defaults(command=inspect)
    command = commands.add_parser("export", parents=[of_all], help=export.__doc__, description=export.__doc__)
    command.add_argument("record", metavar="RECORD", help="a .mcap that the viewer wrote")
    command.add_argument("--out", metavar="DIR", required=True, help="folder for the files")
    command.add_argument(
        "--frame", type=int, action="append", default=[], metavar="N", help="also as DICOM and SEG; may be repeated"
    )
    command.add_argument("--video", action="store_true", help="also as de-identified video.mp4 with contour and words")
    command.add_argument(
        "--dicom", action="store_true", help="also as one de-identified multi-frame clip.dcm, with SEG"
    )
    command.set_defaults(command=export)
    command = commands.add_parser("send", parents=[of_all], help=send.__doc__, description=send.__doc__)
    command.add_argument("files", nargs="*", metavar="FILE", help="DICOM; none: only what waits for this address")
    command.add_argument("--to", required=True, metavar="NODE", help="TITLE@HOST:PORT, or https://HOST/PATH")
    command.add_argument("--outbox", metavar="DIR", help="where files wait; default: in the user's data folder")
    command.add_argument("--with-names", action="store_true", help="send also what may name a patient")
    command.add_argument("--again", action="store_true", help="send also what this address has already stored")
    command.add_argument(
        "--wait", action="store_true", help="try until nothing waits, with pauses of 10 s to 10 minutes"
    )
    command.add_argument("--instead-of", metavar="NODE", help="send here also what waits for that other address")
    command.set_defaults(command=send)
    command = commands.add_parser("fetch", parents=[of_all], help=fetch.__doc__, description=fetch.__doc__)
    command.add_argument("--from", required=True, metavar="TITLE@HOST:PORT", help="the archive's query service")
    command.add_argument("--study", default="", metavar="UID", help="study instance UID")
    command.add_argument("--accession", default="", metavar="NUMBER", help="accession number, instead of it")
    command.add_argument(
        "--out", metavar="DIR", help="folder for the series, each in one of its own; without it, they are only counted"
    )
    command.set_defaults(command=fetch)
    command = commands.add_parser("model", parents=[of_all], help=model.__doc__, description=model.__doc__)
    command.add_argument("file", metavar="FILE", help="an .onnx")
    add_placement(command)
    command.set_defaults(command=model)
    cli_live.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
