"""Landmark errors of real cases are shown beside published ones; simulated ones never are."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from training.cli import main

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "resect" / "landmarks"


def write_tag(path: Path, shift: float) -> Path:
    """Write the eight corners of a cube as pairs `shift` mm apart along x."""
    points = [(x, y, z) for x in (0, 30) for y in (0, 30) for z in (0, 30)]
    lines = [f' {x} {y} {z} {x + shift} {y} {z} ""' for x, y, z in points]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("MNI Tag Point File\nVolumes = 2;\n\nPoints =\n" + "\n".join(lines) + ";")
    return path


def read(out: Path) -> list[dict[str, str]]:
    with (out / "tables" / "mtre.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_the_page_lists_each_case_and_the_bound(tmp_path, capsys):
    tags = [write_tag(tmp_path / f"Case{n}.tag", n) for n in range(1, 6)]
    shift = np.eye(4)
    shift[0, 3] = 1.0
    np.savetxt(tmp_path / "shift.txt", shift)
    page = ["--page", str(tmp_path / "page"), "--data", "five cubes", "--transform", str(tmp_path / "shift.txt")]
    assert main(["landmarks", *map(str, tags), *page, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mtre_mean_mm"] == pytest.approx(2.0)
    rows = read(tmp_path / "page")
    assert [float(row["navigation mean"]) for row in rows] == pytest.approx([1, 2, 3, 4, 5, 3])
    assert float(rows[-1]["navigation SD"]) == pytest.approx(np.std([1, 2, 3, 4, 5], ddof=1))
    assert [float(row["registered mean"]) for row in rows[:5]] == pytest.approx([0, 1, 2, 3, 4])
    assert max(float(row["bound mean"]) for row in rows) < 1e-9
    text = (tmp_path / "page" / "report.html").read_text()
    assert "Wein 2018" in text
    assert "5.37 (4.27)" in text


def test_a_simulated_case_gets_no_page(tmp_path, capsys):
    (tmp_path / "cohort.json").write_text(json.dumps({"simulated": True, "patients": []}))
    tag = write_tag(tmp_path / "RESECT" / "Case1.tag", 1)
    assert main(["landmarks", str(tag), "--page", str(tmp_path / "page")]) == 2
    assert "simulated" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


def test_a_case_that_is_named_twice_is_on_no_page(tmp_path, capsys):
    """The command failed, and the page was there, with a mean in which the case counted twice."""
    tags = [write_tag(tmp_path / folder / "Case1.tag", shift) for folder, shift in (("one", 1), ("other", 2))]
    assert main(["landmarks", *map(str, tags), "--page", str(tmp_path / "page"), "--data", "two"]) == 2
    assert "the second file of the case Case1" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real landmarks")
def test_real_landmarks(tmp_path):
    tags = sorted(REAL.rglob("*.tag"))
    assert main(["landmarks", *map(str, tags), "--page", str(tmp_path), "--data", "RESECT", "--json"]) == 0
    rows = read(tmp_path)
    for row in rows[:-1]:
        assert float(row["bound mean"]) <= float(row["navigation mean"])
    case24 = next(row for row in rows if row["case"] == "Case24")
    assert float(case24["navigation mean"]) == pytest.approx(1.10, abs=0.01)
    assert float(case24["bound mean"]) == pytest.approx(0.83, abs=0.01)
