"""The window's shortcuts: every action's own keys, and those that the user added in the keys panel."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

from viewer import key_places, keymap
from viewer.control.app_state import AppState
from viewer.keymap import AnyAction, KeyConflictError

HELD_MS = 2
"""A key that comes down again so soon after it went up was never let go, by the keyboard's own time."""


class Shortcuts(QObject):
    """Runs an action when one of its keys is pressed, and once while it is held unless the action repeats.

    Qt tells a held key from one that is pressed again only while it keeps up with the keyboard: on a busy computer the
    pairs of up and down that a held key sends look like presses.

    Args:
        window: the window in which the keys are pressed.
        state: remembers the added keys.
        actions: all of them.
        act: runs an action by its name.
    """

    def __init__(
        self, window: QWidget, state: AppState, actions: Sequence[AnyAction], act: Callable[[str], None]
    ) -> None:
        super().__init__(window)
        self._window, self._state, self._act = window, state, act
        self._up: dict[int, int] = {}
        self._held = self._foreign = False
        window.installEventFilter(self)
        self._shortcuts: list[QShortcut] = []
        self._keymap, complaint = keymap.read(actions, state.settings.keys)
        self._use()
        if complaint:
            state.view.picture_area.say(complaint, monotonic())
        state.view.keys.taught.connect(self._teach)

    def _use(self) -> None:
        """Listen to exactly the keys of the present keymap."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = [
            self._shortcut(action, key) for action in self._keymap.actions for key in self._keymap.keys(action)
        ]
        self._state.view.keys.show_keymap(self._keymap)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note when a key went up, and whether one that comes down was held; what a program sends has no time."""
        if isinstance(event, QKeyEvent) and event.timestamp():
            if event.type() is QEvent.Type.KeyRelease:
                self._up[event.key()] = event.timestamp()
            elif event.type() is QEvent.Type.ShortcutOverride:  # it precedes the shortcut itself
                up = self._up.get(event.key())
                self._held = event.isAutoRepeat() or (up is not None and event.timestamp() - up <= HELD_MS)
                return self._for_field(event)
            elif event.type() is QEvent.Type.KeyPress:  # no shortcut of Qt's, and nothing that has the focus took it
                return self._by_place(event)
        return super().eventFilter(watched, event)

    def _for_field(self, event: QKeyEvent) -> bool:
        """Give a key to a field that takes the letter in its place: a code, or Ctrl with V; whether it did."""
        if (latin := key_places.latin(event)) is not None:
            self._foreign = not latin
        meant = key_places.meant(event, foreign=self._foreign)
        taken = meant is not None and _field_takes(meant)
        if taken:
            event.accept()
        return taken

    def _by_place(self, event: QKeyEvent) -> bool:
        """Run the shortcut of the letter in this key's place; whether there is one."""
        meant = key_places.meant(event, foreign=self._foreign)
        if meant is None:
            return False
        for shortcut in self._shortcuts:
            if shortcut.key() == QKeySequence(meant):
                if shortcut.autoRepeat() or not event.isAutoRepeat():
                    shortcut.activated.emit()
                event.accept()
                return True
        return False

    def _shortcut(self, action: AnyAction, key: str) -> QShortcut:
        made = QShortcut(QKeySequence(key), self._window, partial(self._press, action))
        made.setAutoRepeat(action.repeats)
        return made

    def _press(self, action: AnyAction) -> None:
        """Run the action, unless its key is only held."""
        held, self._held = self._held, False
        if action.repeats or not held:
            self._act(action.name)

    def _teach(self, name: str, key: str) -> None:
        """Add a key to an action and save it; or remove the added ones."""
        try:
            self._keymap = self._keymap.give(name, key) if key else self._keymap.without(name)
        except KeyConflictError as error:
            self._state.view.keys.say(str(error))
            return
        kept = {given: ", ".join(keys) for given, keys in self._keymap.given.items()}
        self._state.remember(replace(self._state.settings, keys=kept))
        self._use()


def _field_takes(meant: QKeyCombination) -> bool:
    """Give a key to what has the focus, if that has a use of its own for it."""
    field = QApplication.focusWidget()
    if field is None:
        return False
    key, held, text = meant.key(), meant.keyboardModifiers(), _text(meant)
    asked = QKeyEvent(QEvent.Type.ShortcutOverride, key, held, text)
    asked.ignore()
    QApplication.sendEvent(field, asked)
    if asked.isAccepted():
        QApplication.sendEvent(field, QKeyEvent(QEvent.Type.KeyPress, key, held, text))
    return asked.isAccepted()


def _text(keys: QKeyCombination) -> str:
    """The letter that a key writes, alone or with Shift."""
    held, letter = keys.keyboardModifiers(), chr(keys.key())
    if held & ~Qt.KeyboardModifier.ShiftModifier:
        return ""
    return letter if held else letter.lower()
