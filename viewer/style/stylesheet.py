"""Colours and shapes of the standard widgets. Fonts are set on the widgets, where figures can have equal widths."""

from string import Template

from viewer.style import theme
from viewer.style.theme import Sizes


def stylesheet(sizes: Sizes) -> str:
    """The window's style sheet for these sizes."""
    lengths = {name: f"{sizes.px(size)}px" for name, size in _LENGTHS.items()}
    colours = {name.lower(): value for name, value in vars(theme).items() if name.isupper() and isinstance(value, str)}
    return Template(_STYLESHEET).substitute(lengths | colours)


_LENGTHS = {"radius": 6, "pad": 12, "groove": 4, "half": 2, "handle": 16, "above": -6, "round": 7, "bar": 8, "bead": 4}
_STYLESHEET = """
QWidget { color: $text; background: transparent; }
QMainWindow, QWidget#ground { background: $ground; }
QWidget#picture_area { background: $black; }
QWidget#top { background: $panel; border-bottom: 1px solid $border; }
QWidget#controls { background: $panel; border-top: 1px solid $border; }
QWidget#tools { background: $panel; border-left: 1px solid $border; }
QWidget#side { background: $panel; border-left: 1px solid $border; }
QFrame#panel { background: $panel; border: 1px solid $border; border-radius: $radius; }
QFrame#rule { background: $border; max-height: 1px; min-height: 1px; border: none; }
QLabel[ink="muted"] { color: $muted; }
QLabel[ink="soft"] { color: $soft; }
QLabel[ink="gold"] { color: $gold; }
QLabel[ink="blue"] { color: $blue; }
QLabel[ink="green"] { color: $green; }
QLabel[ink="red"] { color: $red; }
QLabel[ink="amber"] { color: $amber; }
QLabel[kind="key"] { border: 1px solid $border; border-radius: $bead; background: $raised; }
QPushButton { background: $raised; border: 1px solid $border; border-radius: $radius; padding: 0 $pad; }
QPushButton:hover { background: $hover; }
QPushButton:pressed, QPushButton:checked { background: $hover; border-color: $cyan; }
QPushButton:disabled { color: $muted; }
QPushButton[kind="accent"] { background: $cyan; color: $ground; border-color: $cyan; }
QPushButton[kind="accent"]:disabled { background: $raised; color: $muted; border-color: $border; }
QPushButton[kind="row"] { background: transparent; border-color: transparent; text-align: left; }
QPushButton[kind="row"]:hover { background: $hover; }
QPushButton[kind="row"]:checked { background: $hover; border-color: $cyan; }
QPushButton[kind="choice"] { text-align: left; }
QPushButton[kind="choice"]:checked { background: $cyan; color: $ground; }
QPushButton[kind="icon"] { padding: 0; }
QPushButton[kind="tool"] { padding: 0; }
QPushButton[kind="tool"][on="true"] { background: $hover; border-color: $cyan; }
QPushButton[kind="tool"]:disabled { background: transparent; }
QPushButton[kind="tool"] QLabel:disabled { color: $faint; }
QPushButton#badge { background: #301416; border: 1px solid #96403f; padding: 0; }
QPushButton#badge:hover { background: #4a1d20; }
QPushButton:focus, QPushButton#badge:focus, QPushButton[kind="row"]:focus, QPushButton[kind="accent"]:focus,
QPushButton[kind="choice"]:focus, QPushButton[kind="tool"]:focus {
    border: 2px solid $text; outline: none;
}
QLineEdit {
    background: $ground; border: 1px solid $border; border-radius: $radius; padding: 0 $pad;
    selection-background-color: $cyan; selection-color: $ground;
}
QLineEdit:focus { border-color: $cyan; }
QSlider::groove:horizontal { height: $groove; background: $border; border-radius: $half; }
QSlider::sub-page:horizontal { background: #3d7fa3; border-radius: $half; }
QSlider::handle:horizontal {
    background: $text; width: $handle; height: $handle; margin: $above 0; border-radius: $round;
}
QSlider::handle:horizontal:disabled { background: $faint; }
QScrollArea { border: none; }
QScrollBar:vertical { background: transparent; width: $bar; margin: 0; }
QScrollBar::handle:vertical { background: $border; border-radius: $bead; min-height: 30px; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
    background: none; border: none; height: 0;
}
QToolTip { background: $raised; color: $text; border: 1px solid $border; }
"""
