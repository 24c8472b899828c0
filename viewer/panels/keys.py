"""Every action with its keys; each row is a button, for use without a keyboard. Keys of foot pedals are added here."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QWidget

from inference.release import in_words
from viewer import key_places
from viewer.keymap import AnyAction, Keymap
from viewer.panels.base import Panel
from viewer.style.theme import Sizes
from viewer.style.widgets import Button, ElidedLabel, button, label, set_text, size_button

COLUMNS, WIDTH, ASIDE = 3, 806, 330
"""Columns and width over a picture that stands, and the width of one column beside a live one; px at 1280×800."""
HELP = (
    "Age since capture counts from the moment a frame reached this computer: "
    "the delay of the scanner and of a video grabber is not in it. "
    "On a keyboard without Latin letters a key counts by its place."
)
TEACH = "Press the action that a pedal or key is to do."
PRESS = "Now press the pedal or key for “{words}”. Esc: none, and forget those given before."
MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr)


class ActionRow(Button):
    """A row with a key and what it does."""

    def __init__(self, action: AnyAction) -> None:
        super().__init__()
        self.action = action
        self.setProperty("kind", "row")
        self.setAccessibleName(action.words)
        self._key, self._words = ElidedLabel("blue"), label()
        self._key.setText(action.shown)
        self._words.setText(action.words)
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 0, 8, 0)
        line.addWidget(self._key)
        line.addWidget(self._words, 1)
        for part in (self._key, self._words):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self.setFixedHeight(sizes.touch)
        self._key.setFont(sizes.font(14, QFont.Weight.DemiBold))
        self._key.setFixedWidth(sizes.px(62))
        self._words.setFont(sizes.font(14))

    def show_keys(self, words: str) -> None:
        """Show the action's keys."""
        set_text(self._key, words)


class KeysPanel(Panel):
    """Shows every action with its keys, and lets the user add a pedal or key to one.

    Args:
        actions: all of them.
        act: runs an action by its name.
    """

    taught = Signal(str, str)
    """Emitted with an action's name and its new key; an empty key removes the added ones."""
    manual_wanted = Signal()
    """Emitted to open the manual."""
    aside = False
    _for: AnyAction | None = None
    """The action that waits for its new key; a class attribute, since Qt sends events before `__init__` has ended."""

    def __init__(self, actions: Sequence[AnyAction], act: Callable[[str], None], parent: QWidget) -> None:
        super().__init__("Keys and actions", WIDTH, parent)
        self._act = act
        self._teaching = False
        self._rows = [ActionRow(action) for action in actions]
        for row in self._rows:
            row.clicked.connect(lambda _=False, pressed=row: self._pressed(pressed.action))
        room, self._scroll = QWidget(), QScrollArea()
        self._grid = QGridLayout(room)
        self._grid.setSpacing(2)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(room)
        self._arrange(COLUMNS)
        self.body.addWidget(self._scroll, 1)
        self._note, self._teach = self.note("muted", 13), button("Teach a foot pedal…")
        self._manual = button("Manual…")
        self._manual.setProperty("by_hand", True)  # a window of its own, which hears no pedal
        self._manual.clicked.connect(self.manual_wanted)
        self._teach.clicked.connect(self._begin)
        self._help = f"{HELP} {in_words()}".strip()
        self._note.setText(self._help)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        bottom.addWidget(self._manual)
        bottom.addWidget(self._teach)
        self.body.addWidget(self._note)
        self.body.addLayout(bottom)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        self._note.setFont(sizes.font(13))
        for made in (self._manual, self._teach):
            size_button(made, sizes)
        for row in self._rows:
            row.apply(sizes)

    def _arrange(self, columns: int) -> None:
        """Arrange the actions in this many columns."""
        high = -(-len(self._rows) // columns)
        for index, row in enumerate(self._rows):
            self._grid.addWidget(row, index % high, index // high)

    def place(self, room: QWidget) -> None:
        """Cover the picture with as many columns as it has room for, or stand beside a live one; it may scroll."""
        margin, wide = self.sizes.px(14), self.sizes.px(WIDTH)
        columns = 1 if self.aside else COLUMNS if room.width() - 2 * margin >= wide else COLUMNS - 1
        self._arrange(columns)
        super().place(room)
        self.setFixedWidth(self.sizes.px(ASIDE) if self.aside else wide * columns // COLUMNS)
        rows = -(-len(self._rows) // columns)
        note = self._note.heightForWidth(self.width() - self.sizes.px(48))
        others = self._head.sizeHint().height() + note + self.sizes.touch + self.sizes.px(8)
        wanted = rows * (self.sizes.touch + 2) + others + self.sizes.px(80)
        self.setFixedHeight(min(wanted, room.height() - 2 * margin))
        self.move(room.width() - self.width() - margin, margin)

    def show_keymap(self, keymap: Keymap) -> None:
        """Show every action's keys."""
        for row in self._rows:
            row.show_keys(keymap.shown(row.action))

    def say(self, sentence: str) -> None:
        """Say whether the key was accepted."""
        set_text(self._note, sentence)

    def dismiss(self) -> None:
        """Close, and stop waiting for a key."""
        self._end(self._help)
        super().dismiss()

    def event(self, event: QEvent) -> bool:
        """Keep the key that is being added from triggering its shortcut."""
        if self._for is not None and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the key that is being added."""
        if self._for is None or event.key() in MODIFIERS:
            return
        name, self._for = self._for.name, None
        pressed = key_places.meant(event) or event.keyCombination()
        key = "" if event.key() == Qt.Key.Key_Escape else QKeySequence(pressed).toString()
        self._end("")
        self.taught.emit(name, key)

    def _begin(self) -> None:
        self._teaching = True
        set_text(self._note, TEACH)

    def _pressed(self, action: AnyAction) -> None:
        if not self._teaching:
            self._act(action.name)
            return
        self._for = action
        set_text(self._note, PRESS.format(words=action.words))
        self.setFocus()

    def _end(self, words: str) -> None:
        if self._for is None and not self._teaching:
            return
        self._teaching, self._for = False, None
        set_text(self._note, words)
