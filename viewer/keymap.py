"""Which key does what: each action's own keys, and those that the user gave it, for a foot pedal that sends keys.

Given keys stand in the settings file under `[keys]`, one action a line, as in `snapshot=F13` or `play="PgDown, F14"`;
the names of the actions are those of `viewer.actions`. The keys panel writes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtGui import QKeySequence

from inference.errors import IusError
from viewer.actions import ACTIONS, Action

_NAMED = {action.name: action for action in ACTIONS}


class KeyConflictError(IusError):
    """A key cannot be given to an action."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """Every action's keys.

    Attributes:
        given: action name -> keys that the user gave it, as Qt spells them, beside its own.
    """

    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def keys(self, action: Action) -> tuple[str, ...]:
        """All keys of an action, its own first."""
        return (*action.keys, *self.given.get(action.name, ()))

    def shown(self, action: Action) -> str:
        """An action's keys as a person reads them."""
        return " ".join((action.shown, *self.given.get(action.name, ())))

    def give(self, name: str, key: str) -> "Keymap":
        """With one more key for an action.

        Args:
            name: of the action.
            key: as Qt spells it.

        Raises:
            KeyConflictError: if there is no such action or key, or the key does something else.
        """
        action, sequence = _NAMED.get(name), QKeySequence(key)
        if action is None:
            raise KeyConflictError(f"There is no action {name}: the settings' [keys] names one of {', '.join(_NAMED)}.")
        spelled = sequence.toString()
        if sequence.isEmpty() or not spelled:
            raise KeyConflictError(f"{key or 'Nothing'} is no key: press the pedal again, or name another key.")
        owner = self.owner(spelled)
        if owner is not None and owner.name != name:
            raise KeyConflictError(f"{spelled} is already “{owner.words}”: choose another key for “{action.words}”.")
        if owner is not None:
            return self
        return Keymap({**self.given, name: (*self.given.get(name, ()), spelled)})

    def without(self, name: str) -> "Keymap":
        """Without the keys that were given to an action."""
        return Keymap({given: keys for given, keys in self.given.items() if given != name})

    def owner(self, key: str) -> Action | None:
        """The action that this key does."""
        wanted = QKeySequence(key)
        for action in ACTIONS:
            if any(QKeySequence(own) == wanted for own in self.keys(action)):
                return action
        return None


def read(kept: Mapping[str, str]) -> tuple[Keymap, str]:
    """The map of the settings' `[keys]`, and a sentence where a line cannot hold; the other lines hold all the same."""
    keymap, complaint = Keymap(), ""
    for name, keys in kept.items():
        for key in keys.split(","):
            try:
                keymap = keymap.give(name, key.strip())
            except KeyConflictError as error:
                complaint = str(error)
    return keymap, complaint
