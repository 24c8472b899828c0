"""Which files a report wrote into its folder, so that the next one there removes those that it does not write again."""

import json
from collections.abc import Iterable
from pathlib import Path

from training.io.receipt import sha256, write_json

LIST = "written.json"


def replace_earlier(out: Path, now: Iterable[Path]) -> None:
    """Remove what an earlier report wrote and this one did not: figures of a model that is no longer scored, say.

    A file that somebody else put there, or has changed since, is nobody's to remove.

    Args:
        out: folder of the report.
        now: the files in it that this report has written.
    """
    listed = out / LIST
    before = json.loads(listed.read_text(encoding="utf-8")) if listed.is_file() else {}
    written = {path.relative_to(out).as_posix(): sha256(path) for path in now}
    for name in before.keys() - written.keys():
        old = out / name
        inside = old.resolve().is_relative_to(out.resolve())
        if inside and old.is_file() and sha256(old) == before[name]:
            old.unlink()
    write_json(written, listed)
