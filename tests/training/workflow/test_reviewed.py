"""The workflow waits for a person's decisions and never loses them."""

from pathlib import Path

import pytest
from cubes import recorded

from training.cohort.cases import Case, write_cases
from training.registration.result import Registered, write_results
from training.registration.review import UnseenError, review
from training.workflow.reviewed import MARK, UndecidedError, finish_review, forget_changed


@pytest.fixture
def registered(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of two registrations, and their case table."""
    folder, table = tmp_path / "registered", tmp_path / "cases.csv"
    names = ("A", "B")
    rows = [Registered(name, "mind", 0.5, 0.6, 1.0, 1.0, 100.0, 100.0) for name in names]
    write_results(rows, folder)
    for row in rows:
        recorded(folder, row)
    for name in names:
        for path in (folder / "transforms" / f"{name}.txt", folder / "labels" / f"{name}.nii.gz"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())
    write_cases([Case(name, name) for name in names], table)
    return folder, table


def test_it_waits_until_every_case_is_decided(registered):
    folder, table = registered
    with pytest.raises(UndecidedError, match="2 registrations wait for a decision"):
        finish_review(folder, table, simulated=False)
    review(folder, accept=["A"])
    with pytest.raises(UndecidedError, match="1 registrations wait"):
        finish_review(folder, table, simulated=False)
    assert not (folder / MARK).exists()
    review(folder, reject=["B"], note="shifted")
    finish_review(folder, table, simulated=False)
    assert (folder / MARK).is_file()


def test_a_changed_decision_takes_the_mark_away(registered):
    folder, table = registered
    review(folder, accept=["A", "B"])
    finish_review(folder, table, simulated=False)
    forget_changed(folder)
    assert (folder / MARK).is_file()
    review(folder, reject=["B"], note="shifted")
    forget_changed(folder)
    assert not (folder / MARK).exists()
    assert "B" in (folder / "review.csv").read_text()


def test_a_real_cohort_is_never_accepted_unseen(registered):
    folder, table = registered
    with pytest.raises(UnseenError):
        finish_review(folder, table, simulated=True)


def test_no_rule_has_a_persons_decisions_as_its_output():
    """Snakemake deletes the outputs of a rule that fails or runs again."""
    snakefile = Path(__file__).parents[3] / "training" / "workflow" / "Snakefile"
    assert "review.csv" not in snakefile.read_text()
