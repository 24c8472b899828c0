"""`ius-segment run` asks the window's guards: what the window refuses becomes no contour in a table either."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny import threshold_model

from inference import cli
from inference.sources.disturbances import Disturbance, black, disturb, doppler, drawn, lifted, two_panes, writing
from inference.sources.disturbed import screens

Rows = list[dict[str, str]]
Run = Callable[..., tuple[int, Rows, dict[str, object]]]
REFUSED: list[tuple[Disturbance, str]] = [
    (black, "black or even"),
    (lifted, "No tissue below the probe"),
    (doppler, "Colour inside the sector"),
    (two_panes, "Two panes"),
    (writing, "text or graphics"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "threshold.onnx"
    threshold_model(path, level=110 / 150, spacing_mm=(0.3, 0.3), patch=(256, 256))
    return path


@pytest.fixture
def run(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ius-segment on a folder of screens: (exit code, rows, summary)."""

    def call(*disturbed: Disturbance | None, options: tuple[str, ...] = ()) -> tuple[int, Rows, dict[str, object]]:
        folder = tmp_path / "pictures"
        folder.mkdir()
        for number, (screen, how) in enumerate(zip(screens(240, 320, count=6), disturbed, strict=False)):
            shown = screen if how is None else disturb(screen, how)
            # A folder keeps the text beside the sector, which would be told first; two panes are wherever they are.
            seen = np.ones_like(screen.inside) if how is two_panes else screen.inside
            picture = np.where(seen[..., None], drawn(shown), 0)
            assert cv2.imwrite(str(folder / f"{number:03}.png"), picture)
        arguments = ["run", str(folder), "--model", str(model), "--out", str(tmp_path / "out"), "--spacing", "0.3,0.3"]
        code = cli.main([*arguments, "--json", *options])
        capsys.readouterr()
        with (tmp_path / "out" / "readings.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return code, rows, json.loads((tmp_path / "out" / "summary.json").read_text())

    return call


@pytest.mark.parametrize(("how", "sentence"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_frame_that_the_window_refuses_is_not_analysed_and_says_why(
    run: Run, how: Disturbance, sentence: str
) -> None:
    code, rows, summary = run(None, how, None)
    assert [row["outcome"] for row in rows] == ["tumour", "not_analysed", "tumour"]
    assert sentence in rows[1]["reason"]
    assert (rows[1]["area_mm2"], rows[1]["latency_ms"]) == ("", "")
    assert (code, summary["guards"], summary["not_analysed"]) == (1, True, 1)


def test_without_guards_it_is_analysed_and_the_summary_says_that_nobody_looked(run: Run) -> None:
    _, rows, summary = run(None, two_panes, None, options=("--no-guards",))
    assert [row["outcome"] for row in rows] == ["tumour"] * 3
    assert summary["guards"] is False
    assert cli.UNGUARDED in summary["notices"]  # type: ignore[operator]


def test_a_frame_unlike_the_training_data_is_analysed_and_marked(run: Run) -> None:
    _, rows, summary = run(None, None, options=("--spacing", "2.5,2.5"))
    assert all(row["outcome"] == "tumour" for row in rows)
    assert all("2.5 mm per pixel" in row["unlike_training"] for row in rows)
    assert summary["unlike_training"] == 2


def test_a_frame_like_the_training_data_is_not_marked(run: Run) -> None:
    _, rows, summary = run(None, None)
    assert [row["unlike_training"] for row in rows] == ["", ""]
    assert summary["unlike_training"] == 0
