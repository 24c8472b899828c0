"""The window's shortcuts: every action's keys, and those that the keys panel taught it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from viewer import keymap
from viewer.control.app_state import AppState
from viewer.keymap import AnyAction, KeyConflictError


class Shortcuts:
    """Carries out an action when one of its keys is pressed.

    Args:
        window: where the keys are pressed.
        state: remembers what was taught.
        actions: all of them.
        act: carries out an action by its name.
    """

    def __init__(
        self, window: QWidget, state: AppState, actions: Sequence[AnyAction], act: Callable[[str], None]
    ) -> None:
        self._window, self._state, self._act = window, state, act
        self._shortcuts: list[QShortcut] = []
        self._keymap, complaint = keymap.read(actions, state.settings.keys)
        self._use()
        if complaint:
            state.view.picture_area.say(complaint, monotonic())
        state.view.keys.taught.connect(self._teach)

    def _use(self) -> None:
        """Listen to the keys of this keymap, and to no others."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = [
            QShortcut(QKeySequence(key), self._window, partial(self._act, action.name))
            for action in self._keymap.actions
            for key in self._keymap.keys(action)
        ]
        self._state.view.keys.show_keymap(self._keymap)

    def _teach(self, name: str, key: str) -> None:
        """Give an action one more key, and keep it; or take back those that were given."""
        try:
            self._keymap = self._keymap.give(name, key) if key else self._keymap.without(name)
        except KeyConflictError as error:
            self._state.view.keys.say(str(error))
            return
        kept = {given: ", ".join(keys) for given, keys in self._keymap.given.items()}
        self._state.remember(replace(self._state.settings, keys=kept))
        self._use()
