"""Models side by side: reproducible numbers, every figure where it belongs, one population only."""

import csv
import html.parser
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from inference.errors import FormatError, IusError, NotFoundError
from training.cli import main
from training.evaluation.compare import ModelNameError, compare, score_store
from training.evaluation.cutoff_trend import Run
from training.evaluation.grid import compare_grid
from training.evaluation.population import Population, PopulationError, check_cases, tables_behind
from training.evaluation.report import evaluate
from training.evaluation.scoring import segments
from training.slicing.slices import read_slice, write_slice


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("receipt-"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def report(discs, tmp_path_factory) -> Path:
    """A report of two models and a reader, made by the command line."""
    store, masks = discs
    out = tmp_path_factory.mktemp("report")
    assert main(command(store, masks, out)) == 0
    return out


def command(store: Path, masks: dict[str, Path], out: Path) -> list[str]:
    named = [f"shifted={masks['shifted']}", f"silent={masks['silent']}", "--annotator", f"loud={masks['loud']}"]
    where = ["--slices", str(store), "--out", str(out), "--data", "discs", "--simulated", "--margin", "0.1"]
    return ["evaluate", *named, *where]


def test_the_same_predictions_give_the_same_bytes(report, discs, tmp_path):
    store, masks = discs
    assert main([*command(store, masks, tmp_path), "--jobs", "2"]) == 0
    first, second = files(report), files(tmp_path)
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []
    assert {"report.html", "report.md", "tables.json", "slices.csv", "summaries/shifted.json"} <= set(first)


def test_every_picture_has_its_figures_beside_it(report):
    pictures = sorted(path.stem for path in (report / "figures").glob("*.png"))
    assert pictures == ["areas", "box_plots", "examples", "reliability"]
    for stem in pictures:
        assert len((report / "figures" / f"{stem}.csv").read_text().splitlines()) > 1


def test_tables_hold_what_the_slices_say(report):
    tables = json.loads((report / "tables.json").read_text())
    with (report / "slices.csv").open() as stream:
        slices = [row for row in csv.DictReader(stream) if float(row["true_mm2"]) > 0]
    for row in tables["dice_by_true_area"]["rows"]:
        own = [float(one["dice"]) for one in slices if one["model"] == row["model"]]
        assert len(own) == 6 * 3 * 3
        assert row["total"]["mean"] == pytest.approx(sum(own) / len(own))
    silent = tables["dice_by_true_area"]["rows"][1]
    assert silent["PP"] == pytest.approx(2 / 3)
    assert silent["0–35 mm²"] == {"mean": 0.0, "sd": 0.0}
    assert silent["> 200 mm²"] == {"mean": 1.0, "sd": 0.0}
    detected = {(row["model"], row["true area"]): row for row in tables["detection"]["rows"]}
    assert detected["silent", "total"]["Dice where detected"]["mean"] == 1.0
    assert detected["silent", "0–35 mm²"]["Dice where detected"] is None


def test_tumour_free_slices_have_a_table_of_their_own(report):
    tables = json.loads((report / "tables.json").read_text())
    free = {row["model"]: row for row in tables["tumour_free"]["rows"]}
    assert (free["silent"]["no contour"], free["loud"]["no contour"]) == (1.0, 0.0)
    assert free["loud"]["none above 35 mm²"] == 0.0
    assert {row["slices"] for row in free.values()} == {18}
    assert {row["slices"] for row in tables["metrics"]["rows"]} == {54}
    nothing = [row for row in tables["dice_by_predicted_area"]["rows"] if row["segmented"] == "nothing segmented"]
    silent = next(row for row in nothing if row["model"] == "silent")
    assert silent["miss rate"] == pytest.approx(1 / 3)
    assert silent["hold tumour"] == 0.5


def test_differences_are_of_patients(report):
    tables = json.loads((report / "tables.json").read_text())
    rows = {(row["figure of a patient"], row["first"], row["second"]): row for row in tables["differences"]["rows"]}
    assert len(rows) == 6
    dice = {row["patient"]: row for row in tables["patient_dice"]["rows"]}
    each = [one["shifted"] - one["silent"] for one in dice.values()]
    found = rows["mean Dice", "shifted", "silent"]
    assert found["patients"] == 6
    assert found["mean difference"]["mean"] == pytest.approx(sum(each) / 6)
    assert found["p"] <= found["p (Holm)"]
    detected = rows["detected", "silent", "loud"]
    assert detected["mean difference"]["mean"] == pytest.approx(-1 / 3)
    assert detected["p"] == 2 / 2**6
    assert detected["equal within margin"] is None


def test_summaries_are_what_export_takes(report):
    from training.export.training_facts import read_measured

    (measured,) = read_measured([report / "summaries" / "silent.json"]).values()
    assert (measured.simulated, measured.n_patients, measured.miss_rate) == (True, 6, pytest.approx(1 / 3))


def test_readers_are_compared_in_pairs(report):
    rows = json.loads((report / "tables.json").read_text())["observers"]["rows"]
    assert [(row["reader"], row["against"]) for row in rows] == [("loud", "reference")]


def test_the_page_needs_no_network_and_says_what_it_is(report):
    text = (report / "report.html").read_text()
    sources = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            sources.extend(value for name, value in attrs if name in ("src", "href"))
            assert tag not in ("script", "link", "iframe")

    Reader().feed(text)
    assert len(sources) > 4
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    assert "url(" not in text
    assert "Research use only" in text
    assert "never evidence of clinical accuracy" in text
    assert "Faanes" not in text  # a simulated report quotes no clinical figure


def test_published_figures_stand_in_reports_on_real_patients_in_tables_of_their_own(discs, tmp_path):
    store, masks = discs
    table = case_table(tmp_path / "cases.csv", {f"C{patient}": 0 for patient in range(6)})
    tables = compare({"m": masks["shifted"]}, store, tmp_path, data="discs", simulated=False, cases=[table])
    quoted = [key for key in tables if key.startswith("published_")]
    assert quoted == ["published_cutoffs", "published_label_origin", "published_others"]
    assert "0.58 ± 0.32" in json.dumps(tables["published_label_origin"], ensure_ascii=False)
    assert "0.60" in tables["published_label_origin"]["note"]
    assert "never evidence" not in (tmp_path / "report.html").read_text()


def case_table(path: Path, simulated: dict[str, int]) -> Path:
    path.write_text("case,patient,phase,simulated\n" + "".join(f"{c},x,before,{s}\n" for c, s in simulated.items()))
    return path


def test_patients_are_real_only_if_a_table_says_so(discs, tmp_path):
    store, masks = discs
    table = case_table(tmp_path / "cases.csv", {"C0": 0, "C1": 0})
    for cases in ([], [table]):
        with pytest.raises(PopulationError, match=r"No case table says that C\d is a real patient"):
            compare({"m": masks["loud"]}, store, tmp_path / "out", data="d", simulated=False, cases=cases)


def test_another_table_makes_no_real_patient_of_a_simulated_one(tmp_path):
    said = case_table(tmp_path / "said.csv", {"C0": 0})
    behind = case_table(tmp_path / "behind.csv", {"C0": 1})
    with pytest.raises(PopulationError, match="C0 is a simulated patient"):
        check_cases([said, behind], ["C0"], Population.REAL)
    assert check_cases([behind, said], ["C0"], Population.SIMULATED) == {"C0": {"phase": "before"}}


def test_a_store_knows_the_tables_it_was_cut_from(tmp_path):
    table = case_table(tmp_path / "cases.csv", {"C0": 1})
    for name, source in (("one", table), ("joined", tmp_path / "one" / "slices.csv")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "receipt-slice.json").write_text(json.dumps({"inputs": {str(source): "hash"}}))
    assert tables_behind(tmp_path / "joined") == [table]
    assert tables_behind(tmp_path) == []


@pytest.mark.parametrize(("of_cases", "said"), [((1, 0), True), ((1, 0), False), ((1, 1), False), ((0, 0), True)])
def test_one_report_holds_one_population(of_cases, said, discs, tmp_path):
    store, masks = discs
    table = case_table(tmp_path / "cases.csv", {"C0": of_cases[0], "C1": of_cases[1]})
    with pytest.raises(PopulationError, match=r"C[01] is (a|no) simulated patient"):
        compare({"m": masks["loud"]}, store, tmp_path / "out", data="d", simulated=said, cases=[table])
    assert not (tmp_path / "out").exists()


def test_files_of_the_simulator_are_simulated_whatever_the_table_says(discs, tmp_path):
    store, masks = discs
    cohort = tmp_path / "cohort"
    us = cohort / "RESECT" / "C0" / "us.nii.gz"
    cohort.mkdir()
    patients = [{"case": "C0", "tumour": {"echogenicity": "cystic"}}]
    (cohort / "cohort.json").write_text(json.dumps({"simulated": True, "patients": patients}))
    table = tmp_path / "cases.csv"
    table.write_text(f"case,patient,us\nC0,P0,{us}\n")
    with pytest.raises(PopulationError, match="C0 is a simulated patient"):
        compare({"m": masks["loud"]}, store, tmp_path / "out", data="d", simulated=False, cases=[table])
    tables = compare({"m": masks["loud"]}, store, tmp_path / "out", data="d", simulated=True, cases=[table])
    strata = {(row["by"], row["value"]): row["slices"] for row in tables["strata_dice"]["rows"]}
    assert strata["echogenicity", "cystic"] == 9
    assert strata["echogenicity", "not known"] == 45
    assert strata["direction", "k"] == 18


def test_folds_that_share_the_slices_are_one_model(discs, tmp_path):
    store, masks = discs
    halves = [tmp_path / "a", tmp_path / "b"]
    for at, path in enumerate(sorted(masks["loud"].iterdir())):
        halves[at % 2].mkdir(exist_ok=True)
        (halves[at % 2] / path.name).symlink_to(path)
    whole = score_store({"m": segments(masks["loud"])}, store, simulated=True)
    assert score_store({"m": segments(halves)}, store, simulated=True).scores == whole.scores
    with pytest.raises(FormatError, match="are of one slice"):
        score_store({"m": segments([*halves, masks["loud"]])}, store, simulated=True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a=x", "a=y", "--slices", "s"], "named twice"),
        (["just-a-folder", "--slices", "s"], "is not NAME=FOLDER"),
        (["predictions"], "Use"),
        (["a=x", "--slices", "s", "--annotator", "a=y"], "a model and an annotator"),
        (["../a=x", "--slices", "s"], "cannot be a model's name"),
    ],
)
def test_wrong_arguments_give_one_sentence(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *arguments, "--out", "out", "--data", "d"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_masks_that_call_tumour_2_are_not_taken_for_silent_ones(discs, tmp_path):
    """2 is the resection cavity: a reader whose tool numbers from 2 on would have found nothing in any slice."""
    (store, masks), numbered, how = discs, tmp_path / "two", {"data": "discs", "simulated": True}
    for path in masks["loud"].glob("*.nii.gz"):
        write_slice(2 * read_slice(path).astype(np.uint8), (0.5, 0.4), numbered / path.name)
    with pytest.raises(FormatError, match="The masks of reader hold the label 2 and no other"):
        compare({}, store, tmp_path / "out", annotators={"reader": numbered}, **how)
    with pytest.raises(FormatError, match="write tumour as 1"):
        evaluate(numbered, store, tmp_path / "out", **how)
    assert not (tmp_path / "out").exists()


def test_a_table_as_excel_saves_it_tells_who_is_real(tmp_path):
    (tmp_path / "t.csv").write_bytes("case;simulated;phase;site\r\nC0;0;before;Tromsø\r\n".encode("cp1252"))
    assert check_cases([tmp_path / "t.csv"], ["C0"], Population.REAL) == {"C0": {"phase": "before", "site": "Tromsø"}}


def test_a_missing_mask_of_one_model_stops_the_report(discs, tmp_path):
    store, masks = discs
    with pytest.raises(NotFoundError, match="holds no prediction of the slice P0_i0"):
        compare({"a": masks["loud"], "b": tmp_path}, store, tmp_path / "out", data="d", simulated=True)
    assert issubclass(ModelNameError, IusError)


def test_groups_of_few_patients_are_shown_on_request_only_and_marked(discs, tmp_path):
    store, masks = discs
    table = tmp_path / "cases.csv"
    of = {f"C{n}": "post-dura" if n < 2 else "pre-dura" for n in range(6)}
    table.write_text("case,patient,phase,simulated\n" + "".join(f"{case},x,{phase},1\n" for case, phase in of.items()))
    how = {"data": "Six", "simulated": True, "cases": [table]}
    asked = compare({"m": masks["shifted"]}, store, tmp_path / "asked", few=True, **how)
    assert (tmp_path / "asked" / "tables" / "few_patients.csv").is_file()
    silent = compare({"m": masks["shifted"]}, store, tmp_path / "asked", **how)
    left = {path.stem for path in (tmp_path / "asked" / "tables").iterdir()}
    assert left == set(silent), "no table that was asked for before is left"
    few = asked.pop("few_patients")
    assert asked == silent, "no other table changes"
    assert "not for publication" in few["note"]
    (hidden,) = [row for row in silent["strata_dice"]["rows"] if row["value"] == "post-dura"]
    assert hidden["m"] is None
    assert {row["value"] for row in few["rows"]} == {"post-dura", "pre-dura"}, "all other groups have six patients"
    (rare,) = [row for row in few["rows"] if row["value"] == "post-dura"]
    with (tmp_path / "asked" / "slices.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["case"] in {"C0", "C1"} and float(row["true_mm2"]) > 0]
    assert (rare["slices"], rare["patients"]) == (len(rows), 2)
    assert rare["Dice"]["mean"] == pytest.approx(sum(float(row["dice"]) for row in rows) / len(rows))


def test_a_report_that_is_written_again_leaves_nothing_of_the_former_run(discs, tmp_path):
    """The trend and the summary of models that are no longer scored were taken for the new run's."""
    store, masks = discs
    how = {"data": "Six", "simulated": True}
    runs = [Run("shifted", 0.0, "0", masks["shifted"]), Run("silent", 200.0, "0", masks["silent"])]
    compare_grid(runs, store, tmp_path / "again", **how)
    former = {path for path in (tmp_path / "again").rglob("*") if path.is_file()}
    assert {path.stem for path in former} > {"trend", "silent"}
    own, changed = tmp_path / "again" / "figures" / "mine.png", tmp_path / "again" / "figures" / "trend.csv"
    own.write_bytes(b"a person's own")
    changed.write_text("a person's notes")
    for name in ("again", "new"):
        compare({"loud": masks["loud"]}, store, tmp_path / name, **how)
    new = {path.relative_to(tmp_path / "new") for path in (tmp_path / "new").rglob("*")}
    again = {path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*")}
    assert again - new == {path.relative_to(tmp_path / "again") for path in (own, changed)}
    assert new <= again


def test_a_table_that_is_named_holds_before_the_one_that_the_slices_were_cut_from(discs, tmp_path):
    """A diagnosis was corrected in a new table, and the report went on with the old one."""
    source, masks = discs
    store = tmp_path / "store"
    shutil.copytree(source, store)
    for name, phase in (("behind", "after"), ("said", "before")):
        (tmp_path / f"{name}.csv").write_text(
            "case,patient,phase,simulated\n" + "".join(f"C{n},x,{phase},1\n" for n in range(6))
        )
    (store / "receipt-slice.json").write_text(json.dumps({"inputs": {str(tmp_path / "behind.csv"): "hash"}}))
    evaluated = score_store({"m": segments(masks["loud"])}, store, simulated=True, cases=[tmp_path / "said.csv"])
    assert {facts["phase"] for facts in evaluated.facts.values()} == {"before"}
