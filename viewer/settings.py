"""What the viewer remembers from one sitting to the next: nothing about patients. Read at start, never at import."""

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

from platformdirs import user_config_path, user_documents_path
from PySide6.QtCore import QSettings

from inference.errors import OutputError, SourceError
from inference.files import make_folder, replacing
from inference.jobs.background import BackgroundJobs
from inference.patience import in_time
from inference.readout.marks import Tone
from inference.ruler import number

RECENT, MODELS = 6, 3
NAME = "viewer.ini"
WIDTHS = (1.0, 6.0)
HOME_S = 3.0
"""How long the user's home may take to answer at the start, which waits for it: it was awake to log in from."""
AT_ONCE_S = 0.5
"""How long the window waits for changed settings to be kept, so that they are before the next thing is done."""
DEAD = "Your settings do not answer: connect the drive of {}. Until the next start, nothing is remembered."
STUCK = "Your settings cannot be read: check {}. Until the next start, nothing is remembered."
UNKEPT = "Your settings cannot be kept: check {}."


@dataclass(frozen=True, slots=True)
class Settings:
    """Remembered choices.

    Attributes:
        line_width: width of the contour, px at 1280×800.
        recent: the last sources opened, newest first; kept for the next start only if `keep_recent` is set.
        models: the last models chosen, newest first, without the bundled one; kept like `recent`.
        keep_recent: whether the user wants that: names of files and folders may be patients'.
        introduced: whether the first run's explanation has been closed.
        keys: action name -> keys given to it, separated by commas; read by `viewer.keymap`.
        complaint: one sentence if what was stored could not be read; then nothing replaces it. Else empty.
    """

    line_width: float = 2.5
    recent: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    keep_recent: bool = False
    introduced: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    complaint: str = ""

    def with_recent(self, text: str) -> "Settings":
        """The same settings with this source as the newest."""
        return replace(self, recent=(text, *(old for old in self.recent if old != text))[:RECENT])

    def without_names(self) -> "Settings":
        """The same settings without any name of a file."""
        return replace(self, recent=(), models=())

    def with_model(self, path: str) -> "Settings":
        """The same settings with this model as the newest."""
        return replace(self, models=(path, *(old for old in self.models if old != path))[:MODELS])

    def with_width(self, by: float) -> "Settings":
        """The same settings with a wider or narrower line, within limits."""
        low, high = WIDTHS
        return replace(self, line_width=min(max(self.line_width + by, low), high))


class Memory(BackgroundJobs):
    """Keeps changed settings, in a thread of its own: the user's home may lie on a drive that has gone."""

    def __init__(self) -> None:
        super().__init__("ius-settings", strict=True)  # older settings must not be written over newer ones
        self._told = ""

    def keep(self, changed: Settings, before: Settings | None = None) -> None:
        """Store these settings, unless those before could not be read. Waits for a moment, for a drive that answers.

        Args:
            changed: the settings.
            before: those of this window up to now: what it has not changed stays as another one stored it. None: all.
        """
        if not changed.complaint:
            stuck = self.busy
            job = self.begin(lambda: save(changed, before), UNKEPT.format(folder()))
            wait([job], 0.0 if stuck else AT_ONCE_S)

    def take(self) -> tuple[str, Tone] | None:
        """The sentence if they cannot be kept, said once."""
        while (told := super().take()) is not None:
            if told[0] != self._told:
                self._told = told[0]
                return told
        return None


def load() -> Settings:
    """Read the stored settings; anything in them that cannot be understood counts as never set.

    Returns:
        Those of the first start, with a sentence, if they do not answer or cannot be read.
    """
    path = folder() / NAME
    try:
        text = in_time(path.read_bytes, HOME_S, DEAD.format(path.parent))
    except FileNotFoundError:
        return Settings()
    except SourceError as error:
        return Settings(complaint=str(error))
    except OSError:
        return Settings(complaint=STUCK.format(path))
    with _store(text) as (_, kept):
        return _understood(kept)


def _understood(kept: QSettings) -> Settings:
    settings = Settings(introduced=_yes(kept, "introduced"), keep_recent=_yes(kept, "keep_recent"), keys=_keys(kept))
    if settings.keep_recent:
        recent, models = _lines(kept, "recent"), _lines(kept, "models")
        settings = replace(settings, recent=recent[:RECENT], models=models[:MODELS])
    width = number(str(kept.value("line_width")))
    return replace(settings, line_width=width).with_width(0.0) if isfinite(width) else settings


def save(settings: Settings, before: Settings | None = None) -> str:
    """Store the settings; there is nothing to say of it.

    Args:
        settings: the settings.
        before: those from which they differ by what is to be stored; None stores all.

    Raises:
        OutputError: if they cannot be written, or what another window stored cannot be read.
    """
    if before is not None:
        settings = _beside_others(settings, before)
    with _store() as (copy, kept):
        kept.setValue("line_width", str(settings.line_width))
        kept.setValue("keep_recent", "true" if settings.keep_recent else "false")
        kept.setValue("recent", "\n".join(settings.recent) if settings.keep_recent else "")
        kept.setValue("models", "\n".join(settings.models) if settings.keep_recent else "")
        kept.setValue("introduced", "true" if settings.introduced else "false")
        for name, keys in settings.keys.items():
            kept.setValue(f"keys/{name}", keys)
        kept.sync()
        text = copy.read_bytes()
    try:
        with replacing(make_folder(folder()) / NAME) as aside:
            aside.write_bytes(text)
    except OutputError as error:
        raise OutputError(UNKEPT.format(folder())) from error
    return ""


def _beside_others(changed: Settings, before: Settings) -> Settings:
    """What is stored now with what this window has changed: another one may have taught a key, or forgotten names."""
    try:
        text = (folder() / NAME).read_bytes()
    except FileNotFoundError:
        return changed
    except OSError as error:
        raise OutputError(UNKEPT.format(folder())) from error
    with _store(text) as (_, kept):
        stored = _understood(kept)
    values = {
        name: getattr(changed if getattr(changed, name) != getattr(before, name) else stored, name)
        for name in ("line_width", "keep_recent", "introduced", "keys")
    }
    for name in ("recent", "models"):
        mine, known, there = getattr(changed, name), getattr(before, name), getattr(stored, name)
        begun = changed.keep_recent and not before.keep_recent
        values[name] = mine if begun else tuple(one for one in mine if one in there or one not in known)
    return replace(stored, **values)


def _lines(kept: QSettings, name: str) -> tuple[str, ...]:
    value = kept.value(name)
    return tuple(value.split("\n")) if isinstance(value, str) and value else ()


def _yes(kept: QSettings, name: str) -> bool:
    return kept.value(name) in (True, "true")


def _keys(kept: QSettings) -> dict[str, str]:
    """The lines of `[keys]`; Qt reads a line with commas as a list."""
    kept.beginGroup("keys")
    values = {name: kept.value(name) for name in kept.childKeys()}
    kept.endGroup()
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in values.items()
    }


@contextmanager
def _store(text: bytes = b"") -> Iterator[tuple[Path, QSettings]]:
    """A copy of the stored settings outside the user's home: while Qt waits for a disk, no thread of Python runs."""
    with TemporaryDirectory(prefix="ius-") as place:
        copy = Path(place) / NAME
        copy.write_bytes(text)
        yield copy, QSettings(str(copy), QSettings.Format.IniFormat)


def folder() -> Path:
    """The folder of settings and presets; may be missing."""
    if sys.platform == "darwin":
        return Path("~/.config/ius").expanduser()
    return user_config_path("ius", appauthor=False, roaming=True)


def exports_folder() -> Path:
    """The folder for snapshots and recordings; the usual one if what the user's home says of it does not answer."""
    try:
        return in_time(user_documents_path, HOME_S, "") / "iUS"
    except SourceError:
        return Path("~/Documents/iUS").expanduser()
