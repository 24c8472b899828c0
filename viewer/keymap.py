"""Which key does what: each action's own keys, and those that the user added, such as a foot pedal that sends keys.

The user's keys are in the settings file under `[keys]`, one action per line, as in `snapshot=F13` or
`play="PgDown, F14"`; the names of the actions are those of `viewer.control.actions`. The keys panel writes them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias, TypeVar

from PySide6.QtGui import QKeySequence

from inference.errors import IusError

Handlers = TypeVar("Handlers")
TAKEN = {"Return": "presses", "Enter": "presses", "Tab": "goes on from", "Shift+Backtab": "goes back from"}
"""Keys that every panel needs, and what they do with what has the focus."""


@dataclass(frozen=True, slots=True)
class Action(Generic[Handlers]):
    """Something the user can do.

    Attributes:
        name: used by buttons and the settings file.
        keys: key sequences in Qt's spelling; the first one is shown.
        shown: the key in readable form.
        words: what it does.
        run: performs it, given a window's handlers.
        repeats: whether it goes on while its key is held down. A held pedal must not record, stop and record again.
    """

    name: str
    keys: tuple[str, ...]
    shown: str
    words: str
    run: Callable[[Handlers], None]
    repeats: bool = False


AnyAction: TypeAlias = Action[Any]


class KeyConflictError(IusError):
    """The key cannot be given to the action."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """Every action's keys.

    Attributes:
        actions: all of them.
        given: action name -> keys that the user added to its own, in Qt's spelling.
    """

    actions: Sequence[AnyAction]
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def keys(self, action: AnyAction) -> tuple[str, ...]:
        """All keys of an action, its own first."""
        return (*action.keys, *self.given.get(action.name, ()))

    def shown(self, action: AnyAction) -> str:
        """An action's keys in readable form."""
        return " ".join((action.shown, *self.given.get(action.name, ())))

    def give(self, name: str, key: str) -> "Keymap":
        """The keymap with one more key for an action.

        Args:
            name: name of the action.
            key: the key in Qt's spelling.

        Raises:
            KeyConflictError: if there is no such action or key, or the key already does something else.
        """
        named = {action.name: action for action in self.actions}
        action, sequence = named.get(name), QKeySequence(key)
        if action is None:
            raise KeyConflictError(f"There is no action {name}: the settings' [keys] names one of {', '.join(named)}.")
        spelled = sequence.toString()
        if sequence.isEmpty() or not spelled:
            raise KeyConflictError(f"{key or 'Nothing'} is no key: press the pedal again, or name another key.")
        if spelled in TAKEN:
            raise KeyConflictError(f"{spelled} {TAKEN[spelled]} what has the focus: choose another key.")
        owner = self.owner(spelled)
        if owner is not None and owner.name != name:
            raise KeyConflictError(f"{spelled} is already “{owner.words}”: choose another key for “{action.words}”.")
        if owner is not None:
            return self
        return replace(self, given={**self.given, name: (*self.given.get(name, ()), spelled)})

    def without(self, name: str) -> "Keymap":
        """The keymap without the keys that the user added to an action."""
        return replace(self, given={given: keys for given, keys in self.given.items() if given != name})

    def owner(self, key: str) -> AnyAction | None:
        """The action that this key triggers."""
        wanted = QKeySequence(key)
        for action in self.actions:
            if any(QKeySequence(own) == wanted for own in self.keys(action)):
                return action
        return None


def read(actions: Sequence[AnyAction], kept: Mapping[str, str]) -> tuple[Keymap, str]:
    """Read the settings' `[keys]`.

    Returns:
        The keymap, and one sentence about a line that cannot be used, else empty; all other lines are used.
    """
    keymap, complaint = Keymap(actions), ""
    for name, keys in kept.items():
        for key in keys.split(","):
            try:
                keymap = keymap.give(name, key.strip())
            except KeyConflictError as error:
                complaint = str(error)
    return keymap, complaint
