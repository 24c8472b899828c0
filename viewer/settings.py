"""What the viewer remembers from one sitting to the next: nothing about patients. Read at start, never at import."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from platformdirs import user_documents_path
from PySide6.QtCore import QSettings

from inference.files import OWNER

RECENT, MODELS = 6, 3
WIDTHS = (1.0, 6.0)


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
    """

    line_width: float = 2.5
    recent: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    keep_recent: bool = False
    introduced: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)

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


def load() -> Settings:
    """Read the stored settings; anything unreadable counts as never set."""
    kept = _store()
    settings = Settings(introduced=_yes(kept, "introduced"), keep_recent=_yes(kept, "keep_recent"), keys=_keys(kept))
    if settings.keep_recent:
        recent, models = _lines(kept, "recent"), _lines(kept, "models")
        settings = replace(settings, recent=recent[:RECENT], models=models[:MODELS])
    try:
        return replace(settings, line_width=float(str(kept.value("line_width")))).with_width(0.0)
    except ValueError:
        return settings


def save(settings: Settings) -> None:
    """Store the settings."""
    kept = _store()
    kept.setValue("line_width", str(settings.line_width))
    kept.setValue("keep_recent", "true" if settings.keep_recent else "false")
    kept.setValue("recent", "\n".join(settings.recent) if settings.keep_recent else "")
    kept.setValue("models", "\n".join(settings.models) if settings.keep_recent else "")
    kept.setValue("introduced", "true" if settings.introduced else "false")
    kept.remove("keys")
    for name, keys in settings.keys.items():
        kept.setValue(f"keys/{name}", keys)
    kept.sync()
    with suppress(OSError):  # it could not be written, or lies where files have no rights
        Path(kept.fileName()).chmod(OWNER)


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


def _store() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "ius", "viewer")


def exports_folder() -> Path:
    """The folder for snapshots and recordings."""
    return user_documents_path() / "iUS"
