"""What the model is, on whom it was trained and what was measured: the contract, word for word."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from inference.contract import BandScore, Certainty, Measured, Mode, ModelContract
from inference.jobs.model_glances import VIEWS, ModelGlance
from inference.live.model import Model
from inference.readout.formatting import share_words, spaced
from viewer.panels.base import Panel
from viewer.style import theme
from viewer.style.theme import Sizes
from viewer.style.widgets import Button, ElidedLabel, button, label, set_text, size_button

Row = tuple[str, str]
REPLACED = "Another model stands in this file since it was loaded, and is not in use: press to load it."


def card_rows(model: Model) -> list[tuple[str, list[Row]]]:
    """The card as titled groups of (name, value), in plain text."""
    contract = model.contract
    return [
        ("", [("", contract.identity.intended_use)]),
        ("Model", _identity(model)),
        ("Population", _population(contract)),
        ("Measured, fast mode", _measured(contract.reliability.fast)),
        ("Measured, thorough mode", _measured(contract.reliability.thorough)),
        ("Its probability, fast mode", _certainty(contract.certainty_in(Mode.FAST))),
        ("Its probability, thorough mode", _certainty(contract.certainty_in(Mode.THOROUGH))),
        ("Input and output", _input(contract)),
        ("On this computer", _here(model)),
    ]


def _identity(model: Model) -> list[Row]:
    identity, provenance = model.contract.identity, model.contract.provenance
    return [
        ("Name", model.contract.title),
        ("Created", identity.created),
        ("Licence", identity.licence),
        ("sha256", model.sha256[:16] + "…"),
        ("Trained with", f"nnU-Net {provenance.nnunetv2}, {provenance.trainer}"),
        ("Labels from", provenance.label_origin),
    ]


def _population(contract: ModelContract) -> list[Row]:
    population = contract.population
    return [
        ("", population.words),
        ("Patients", f"{population.n_patients}" + (", simulated" if population.simulated else "")),
        ("Phases", _listed(population.phases)),
        ("Surgery", _listed(population.surgery)),
        ("Tumours", _listed(population.tumour_types)),
        ("Grades", _listed(population.grades)),
        ("Sites", _listed(population.sites)),
        ("Scanners", _listed(population.scanners)),
        ("Pictures", _listed(VIEWS[view] for view in population.views)),
    ]


def _measured(measured: Measured | None) -> list[Row]:
    if measured is None:
        return [("", "not measured")]
    simulated = " simulated" if measured.simulated else ""
    rows = [
        ("Data", measured.data),
        ("On", f"{spaced(measured.n_slices)} slices of {measured.n_patients}{simulated} patients"),
        ("Miss rate", _share(measured.miss_rate)),
        ("Specificity", _share(measured.specificity)),
    ]
    rows += [(f"Dice, segmented {_band(score)}", _dice(score)) for score in measured.by_predicted_area]
    return rows + [(f"Dice, true {_band(score)}", _dice(score)) for score in measured.by_true_area]


def _certainty(certainty: Certainty | None) -> list[Row]:
    if certainty is None:
        return [("", "not measured: nothing is foretold of a contour")]
    found, failure = certainty.calibration, certainty.failure
    simulated = " simulated" if certainty.simulated else ""
    return [
        ("Data", certainty.data),
        ("On", f"{spaced(certainty.n_slices)} slices of {certainty.n_patients}{simulated} patients"),
        ("Calibration error", f"{found.ece:.3f}, before {found.ece_before:.3f}"),
        ("Temperature", f"{found.temperature:.2f}"),
        ("Dice, likely to fail", _two(failure.dice_below)),
        ("Dice, others", f"{_two(failure.dice_above)} ({share_words(failure.coverage)} of contours)"),
    ]


def _two(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"


def _input(contract: ModelContract) -> list[Row]:
    wanted, output = contract.input, contract.output
    rows = [
        ("Trained on channel", _listed(wanted.channels)),
        ("Contour of label", _listed(name for name, value in output.labels.items() if value == output.tumour_index)),
        ("Patch", f"{wanted.patch[0]} × {wanted.patch[1]}"),
        ("Spacing", f"{wanted.spacing_mm[0]:g} × {wanted.spacing_mm[1]:g} mm"),
        ("Threshold", f"{output.threshold:g}"),
    ]
    if contract.reduction is not None:
        rows.append(
            ("Precision", f"{contract.provenance.precision}, Dice {contract.reduction.dice_mean:.3f} to float32")
        )
    return rows + [
        (
            f"Parity, {parity.mode}",
            f"{share_words(parity.identical)} of {parity.n_slices} slices identical to {parity.reference}",
        )
        for parity in contract.parity
    ]


def _here(model: Model) -> list[Row]:
    rows = [
        ("Provider", model.provider + (f" on {model.card}" if model.card else "")),
        ("Network", f"{model.warm_up_ms:.0f} ms a pass"),
        ("Self-test", model.self_test),
        ("File", "verified on this computer"),
    ]
    return rows + [("", sentence) for sentence in model.fallbacks]


def _listed(values: Iterable[str]) -> str:
    return ", ".join(value.replace("_", " ") for value in values) or "not stated"


def _share(share: float | None) -> str:
    return "not measured" if share is None else share_words(share)


def _band(score: BandScore) -> str:
    low, high = score.band
    return f"over {low:g} mm²" if high is None else f"{low:g} to {high:g} mm²"


def _dice(score: BandScore) -> str:
    if score.dice_mean is None:
        return "not measured"
    spread = "" if score.dice_sd is None else f" ± {score.dice_sd:.2f}"
    return f"{score.dice_mean:.2f}{spread} ({score.n_slices} slices, {score.n_patients} patients)"


def card_html(rows: list[tuple[str, list[Row]]]) -> str:
    """The card as a table."""
    parts = []
    for title, lines in rows:
        if title:
            parts.append(f"<tr><td colspan=2><br><b style='color:{theme.TEXT}'>{escape(title)}</b></td></tr>")
        for name, value in lines:
            if name:
                key = f"<td style='color:{theme.MUTED}; padding-right:14px'>{escape(name)}</td>"
                parts.append(f"<tr>{key}<td style='color:{theme.SOFT}'>{escape(value)}</td></tr>")
            else:
                parts.append(f"<tr><td colspan=2 style='color:{theme.SOFT}'>{escape(value)}</td></tr>")
    return f"<table cellspacing=0 cellpadding=1>{''.join(parts)}</table>"


class ModelRow(Button):
    """A model at a glance: its name, and on whom it was trained.

    Args:
        glance: what its file says now.
        model: the model in use; None if none is.
    """

    def __init__(self, glance: ModelGlance, model: Model | None) -> None:
        super().__init__()
        self.glance = glance
        loaded = None if model is None or glance.path != model.path else model.contract
        # A contract names its checkpoints and the masks that prove it, so no other weights have the same.
        used = loaded is not None and glance.contract in (loaded, None)
        words = REPLACED if loaded is not None and not used else glance.words
        self.setProperty("kind", "row")
        self.setAccessibleName(glance.name)
        self.setToolTip(f"{glance.path}\n{words}")
        self.setEnabled(glance.usable and not used)
        self._name, self._words = ElidedLabel("green" if used else ""), label("muted", wrap=True)
        self._name.setText(f"{glance.name} · in use" if used else glance.name)
        self._words.setText(words)
        self._lines = QVBoxLayout(self)
        self._lines.setSpacing(0)
        for part in (self._name, self._words):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._lines.addWidget(part)

    def apply(self, sizes: Sizes, width: int) -> None:
        """Use these sizes, and as much height as the lines need in this width, px."""
        self._lines.setContentsMargins(sizes.px(10), sizes.px(5), sizes.px(10), sizes.px(5))
        self._name.setFont(sizes.font(14, QFont.Weight.Medium))
        self._words.setFont(sizes.font(12))
        edges = self._lines.contentsMargins()
        words = self._words.heightForWidth(width - edges.left() - edges.right())
        height = edges.top() + self._name.sizeHint().height() + words + edges.bottom() + 2
        self.setFixedHeight(max(sizes.touch, height))


class ModelPanel(Panel):
    """The model card, and the choice of another model."""

    chosen = Signal(object)
    """Emitted with the `Path` of a model file."""
    browse_wanted = Signal()
    """Emitted to look for a model file in this window instead of a dialogue of the system."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Model", 460, parent)
        self._error, self._text = self.note("red"), label("soft", wrap=True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._other = button("Other model…")
        self._other.clicked.connect(self._ask)
        self._other.setProperty("by_hand", True)  # a dialogue of the system hears no pedal
        self._browse = button("Browse…", "Look for a model file in this window")
        self._browse.clicked.connect(self.browse_wanted)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._text)
        self._rows: list[ModelRow] = []
        self._choice = QVBoxLayout()
        self._choice.setSpacing(2)
        self.body.addWidget(self._error)
        self.body.addLayout(self._choice)
        self.body.addWidget(self._scroll, 1)
        row = QHBoxLayout()
        row.addWidget(self._other)
        row.addWidget(self._browse)
        row.addStretch(1)
        self.body.addLayout(row)
        self.show_model(None, "")

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        self._text.setFont(sizes.font(14))
        self._error.setFont(sizes.font(14))
        for made in (self._other, self._browse):
            size_button(made, sizes)
        for made in self._rows:
            made.apply(sizes, self._row_width)

    def show_models(self, glances: Sequence[ModelGlance], model: Model | None) -> None:
        """Offer these models; the one in use is marked."""
        for made in self._rows:
            made.hide()
            made.deleteLater()
        self._rows = [ModelRow(glance, model) for glance in glances]
        for made in self._rows:
            made.apply(self.sizes, self._row_width)
            made.clicked.connect(lambda _=False, path=made.glance.path: self.chosen.emit(path))
            self._choice.addWidget(made)

    @property
    def _row_width(self) -> int:
        body, column = self.body.contentsMargins(), self.layout()
        edges = 0 if column is None else column.contentsMargins().left() + column.contentsMargins().right()
        return self.width() - edges - body.left() - body.right()

    def place(self, room: QWidget) -> None:
        """Use all the height of the room: the card is long."""
        super().place(room)
        self.setFixedHeight(room.height() - 2 * self.sizes.px(14))

    def show_model(self, model: Model | None, refusal: str) -> None:
        """Show this model's card, or why there is none."""
        set_text(self._error, refusal)
        self._error.setVisible(bool(refusal))
        set_text(self._text, "" if model is None else card_html(card_rows(model)))

    def _ask(self) -> None:
        """Ask for a model file without blocking the window."""
        dialogue = QFileDialog(self.window(), "Model", "", "Models (*.onnx)")
        dialogue.setFileMode(QFileDialog.FileMode.ExistingFile)
        self.ask_file(dialogue, lambda text: self.chosen.emit(Path(text)))
