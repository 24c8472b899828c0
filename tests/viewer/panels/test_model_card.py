"""The choice of a model: the bundled one and those used last, each with its card at a glance."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.assets import demo_model_path
from inference.contract import ModelContract
from inference.jobs.model_glances import glance_at
from inference.live.model import Model
from viewer import settings
from viewer.main_window import MainWindow
from viewer.panels.model_card import REPLACED, card_rows

Show = Callable[..., MainWindow]
Shoot = Callable[[MainWindow, str], Any]


def contract_in(path: Path) -> ModelContract:
    """What a model file says of itself."""
    found = glance_at(path).contract
    assert found is not None
    return found


def test_bundled_and_recent_models_are_offered_by_their_cards_and_loaded_by_a_press(
    show: Show, qtbot: QtBot, shoot: Shoot, model: Model, tmp_path: Path
) -> None:
    own = tmp_path / "department.onnx"
    shutil.copy(demo_model_path(), own)
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"\x08\x08")
    window = show(loaded=replace(model, path=own, contract=contract_in(own)))
    assert window.state.settings.models == (str(own),)
    assert settings.load().models == (), "kept only if the user wants it"
    window.state.settings = replace(window.state.settings, models=(str(own), str(damaged)))
    window.act("model")
    panel = window.view.model_card
    qtbot.waitUntil(lambda: len(panel._rows) == 3, timeout=5000)
    shoot(window, "models")
    bundled, used, broken = panel._rows
    assert bundled.glance.path == demo_model_path()
    assert [row.isEnabled() for row in panel._rows] == [True, False, False]
    assert used._name.text().endswith("in use")
    assert "carries no ius contract" in broken._words.text()
    asked: list[Path | None] = []
    window.session._load_model = lambda path: asked.append(path) or model  # type: ignore[func-returns-value]
    qtbot.mouseClick(bundled, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: asked == [demo_model_path()] and window.session.ready, timeout=5000)


def test_another_model_in_the_file_of_the_one_in_use_is_not_called_that_and_can_be_loaded(
    show: Show, qtbot: QtBot, model: Model, tmp_path: Path
) -> None:
    path = tmp_path / "department.onnx"
    shutil.copy(demo_model_path(), path)
    trained = contract_in(path)
    earlier = structs.replace(trained, provenance=structs.replace(trained.provenance, checkpoint_sha256=("0" * 64,)))
    window = show(loaded=replace(model, path=path, contract=earlier))
    window.act("model")
    panel = window.view.model_card
    qtbot.waitUntil(lambda: len(panel._rows) == 2, timeout=5000)
    row = panel._rows[1]
    assert (row.glance.path, row.glance.contract) == (path, trained)
    assert not row._name.text().endswith("in use")
    assert row._words.text() == REPLACED
    asked: list[Path | None] = []
    window.session._load_model = lambda path: asked.append(path) or model  # type: ignore[func-returns-value]
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: asked == [path], timeout=5000)


def test_the_card_says_of_what_and_on_what_a_model_draws(model: Model):
    """A network of vessels on MRI is a valid one: whoever loads it has to see that it is no tumour on ultrasound."""
    wanted, output = model.contract.input, model.contract.output
    other = structs.replace(
        model.contract,
        input=structs.replace(wanted, channels=("T1",)),
        output=structs.replace(output, labels={"background": 0, "vessel": 1}),
    )
    rows = dict(row for _, group in card_rows(replace(model, contract=other)) for row in group)
    assert (rows["Trained on channel"], rows["Contour of label"]) == ("T1", "vessel")
    cavity = {"background": 0, "resection_cavity": 1, "tumor": 2}
    both = structs.replace(other, output=structs.replace(output, labels=cavity, tumour_index=2, cavity_index=1))
    rows = dict(row for _, group in card_rows(replace(model, contract=both)) for row in group)
    assert rows["Contour of label"] == "tumor"
