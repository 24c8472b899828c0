"""Ultrasound fetched from a real archive on this computer: all of it, nothing else, and never half of it unsaid."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage, UltrasoundImageStorage, generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find  # type: ignore[attr-defined]
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get  # type: ignore[attr-defined]

from inference import cli
from inference.errors import ChoiceError, SourceError
from inference.export.capture import Capture
from inference.export.dicom import write_dicom_pair
from inference.outcome import UnknownSpacing
from inference.sources import open_source
from inference.sources.archive import Node, OnePatient, fetch, find
from inference.sources.simulated import PhantomSource

ROOT = Path(__file__).resolve().parents[3]
STUDY, OTHER = generate_uid(), generate_uid()


def clip(folder: Path, series: str, number: int, **more: str) -> Dataset:
    with PhantomSource(rows=96, cols=128, count=4) as source:
        outcome = UnknownSpacing(source.read(number), "Nobody knows.")
        made = write_dicom_pair(Capture(outcome, (0.0, 255.0)), folder / f"{series[-6:]}-{number}.dcm").image
    dataset = pydicom.dcmread(made)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SeriesNumber = STUDY, series, 7
    dataset.PatientName, dataset.AccessionNumber = "Doe^Jane", "A-1"
    for name, value in more.items():
        setattr(dataset, name, value)
    return dataset


@dataclass
class Archive:
    """What the archive holds, and how it misbehaves."""

    held: list[Dataset] = field(default_factory=list)
    ignores_keys: bool = False
    searching: int = 0x0000
    losing: int = 0
    """So many files of each series cannot be read."""

    def found(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        if self.searching:
            yield self.searching, None
            return
        wanted, told = event.identifier, set()
        level = "StudyInstanceUID" if wanted.QueryRetrieveLevel == "STUDY" else "SeriesInstanceUID"
        for one in self.held:
            keys = ("StudyInstanceUID", "AccessionNumber", "Modality")
            fits = all(wanted.get(key) in (None, "", one.get(key)) for key in keys) or self.ignores_keys
            if fits and one[level].value not in told:
                told.add(one[level].value)
                answer = Dataset()
                answer.QueryRetrieveLevel = wanted.QueryRetrieveLevel
                for key in (*keys, "SeriesInstanceUID", "SeriesNumber", "PatientID", "PatientName"):
                    setattr(answer, key, one.get(key))
                same = [other for other in self.held if other.SeriesInstanceUID == one.SeriesInstanceUID]
                answer.NumberOfSeriesRelatedInstances = len(same)
                yield 0xFF00, answer

    def given(self, event: evt.Event) -> Iterator[object]:
        series = [one for one in self.held if one.SeriesInstanceUID == event.identifier.SeriesInstanceUID]
        series = series[: len(series) - self.losing]
        yield len(series)
        for one in series:
            yield 0xFF00, one


@contextmanager
def serving(archive: Archive, port: int, *, gets: bool = True) -> Iterator[Node]:
    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(Find)
    if gets:
        entity.add_supported_context(Get)
    for kind in (UltrasoundImageStorage, MRImageStorage):
        entity.add_supported_context(kind, scu_role=True, scp_role=True)
    handlers = [(evt.EVT_C_FIND, archive.found), (evt.EVT_C_GET, archive.given)]
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
    try:
        yield Node("ARCHIVE", "127.0.0.1", port)
    finally:
        server.shutdown()


@pytest.fixture
def port(free_port: Callable[[], int]) -> int:
    return free_port()


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    """Two ultrasound series of one study, an MR one, and an ultrasound series of another patient."""
    folder, series = tmp_path_factory.mktemp("held"), [generate_uid() for _ in range(4)]
    mr = clip(folder, series[2], 3, Modality="MR")
    foreign = clip(folder, series[3], 3, StudyInstanceUID=OTHER, AccessionNumber="A-2", PatientName="Roe^Jim")
    return [clip(folder, series[0], 0), clip(folder, series[0], 1), clip(folder, series[1], 2), mr, foreign]


@pytest.mark.parametrize("key", ["--study", "--accession"])
def test_the_ultrasound_of_a_study_comes_whole_and_nothing_else(
    key: str, held: list[Dataset], tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, value = Archive(held, ignores_keys=key == "--study"), STUDY if key == "--study" else "A-1"
    if archive.ignores_keys:
        archive.held = [one for one in held if one.StudyInstanceUID == STUDY]
    with serving(archive, port):
        command = ["fetch", "--from", f"ARCHIVE@127.0.0.1:{port}", key, value, "--json"]
        assert cli.main(command) == cli.WELL
        assert json.loads(capsys.readouterr().out) == {"series": 2, "files": 3}
        assert cli.main([*command, "--out", str(tmp_path / "in")]) == cli.WELL
    said = json.loads(capsys.readouterr().out)
    folders = [tmp_path / "in" / "series-7", tmp_path / "in" / "series-7-2"]
    told = {"series": 2, "files": 3, "fetched": 3, "missing": 0, "reason": "", "folders": [str(one) for one in folders]}
    assert said == told
    files = sorted((tmp_path / "in").rglob("*.dcm"))
    assert {file.stem for file in files} == {one.SOPInstanceUID for one in held[:3]}
    for file in files:
        assert file.stat().st_mode & 0o077 == 0, "they name the patient"
        (sent,) = [one for one in held if one.SOPInstanceUID == file.stem]
        with open_source(str(file)) as source:
            assert np.array_equal(source.read(0).pixels, sent.pixel_array)


def test_the_guide_s_words_fetch_a_study_and_open_each_of_its_series(
    held: list[Dataset], tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (words,) = re.findall(r"`(ius-segment fetch [^`]*)`", (ROOT / "docs/guide/surgeon.md").read_text(encoding="utf-8"))
    ours = {"ARCHIVE@pacs:104": f"ARCHIVE@127.0.0.1:{port}", "NUMBER": "A-1", "FOLDER": str(tmp_path / "study")}
    typed = [ours.get(word, word) for word in words.split()][1:]
    with serving(Archive(held), port):
        for _ in range(2):  # whoever fetches again gets the same folders
            assert cli.main([*typed, "--json"]) == cli.WELL
            folders = json.loads(capsys.readouterr().out)["folders"]
    assert sorted(map(str, (tmp_path / "study").iterdir())) == sorted(folders)
    assert len(folders) == 2
    for folder, count in zip(folders, (2, 1), strict=True):
        assert not re.search(r"[\d.]{8}|Doe", Path(folder).name), "no identifier"
        with open_source(folder) as source:
            assert len(source) == count
    with pytest.raises(ChoiceError, match="open series-7 or series-7-2 in it"):
        open_source(str(tmp_path / "study"))


def test_what_is_missing_is_said_and_what_came_stays(held: list[Dataset], tmp_path: Path, port: int) -> None:
    with serving(Archive(held, losing=1), port) as node:
        one = next(series for series in find(node, study=STUDY) if series.count == 2)
        fetched = fetch(node, one, tmp_path, OnePatient())
    assert (len(fetched.files), fetched.failed) == (1, 1)
    assert "fetch again" in fetched.why
    assert fetched.files[0].exists()


def test_a_full_or_missing_folder_is_told(held: list[Dataset], tmp_path: Path, port: int) -> None:
    with serving(Archive(held), port) as node:
        one = next(series for series in find(node, study=STUDY) if series.count == 2)
        fetched = fetch(node, one, tmp_path / "gone", OnePatient())
    assert (fetched.files, fetched.failed) == ((), 2)
    assert "cannot be written" in fetched.why


def test_a_search_that_failed_is_not_nothing_found(held: list[Dataset], port: int) -> None:
    with serving(Archive(held, searching=0xA700), port) as node, pytest.raises(SourceError, match="status A700"):
        find(node, study=STUDY)
    with serving(Archive([]), port) as node:
        assert find(node, study=STUDY) == []


def test_an_archive_that_is_away_or_gives_nothing_is_one_sentence(
    held: list[Dataset], tmp_path: Path, port: int
) -> None:
    with pytest.raises(SourceError, match="doesn't answer"):
        find(Node("ARCHIVE", "127.0.0.1", port), study=STUDY)
    with serving(Archive(held), port, gets=False) as node:
        one = find(node, study=STUDY)[0]
        with pytest.raises(SourceError, match="offers no such service"):
            fetch(node, one, tmp_path, OnePatient())


def test_pictures_of_two_patients_never_come_together(
    held: list[Dataset], tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody could tell them apart: names are not shown. Two hospitals number alike, and a study may be merged."""
    alike, merged = deepcopy(held[4]), deepcopy(held[2])
    alike.AccessionNumber, alike.PatientID, merged.PatientID = "A-1", "P-2", "P-2"
    with serving(Archive([*held[:2], alike]), port) as node:
        with pytest.raises(SourceError, match="of several patients: give the study's UID"):
            find(node, accession="A-1")
        assert [one.count for one in find(node, study=STUDY)] == [2]
    command = ["fetch", "--from", f"ARCHIVE@127.0.0.1:{port}", "--study", STUDY, "--out", str(tmp_path), "--json"]
    with serving(Archive([*held[:2], merged]), port):
        assert cli.main(command) == cli.SOME_FAILED
    said = json.loads(capsys.readouterr().out)
    assert (said["fetched"], said["missing"]) == (2, 1)
    assert "several patients" in said["reason"]
    assert {file.stem for file in tmp_path.rglob("*.dcm")} == {one.SOPInstanceUID for one in held[:2]}


def test_an_archive_that_ignores_what_was_asked_for_gives_no_other_study(held: list[Dataset], port: int) -> None:
    with serving(Archive(held, ignores_keys=True), port) as node:
        with pytest.raises(SourceError, match="other accession numbers than A-1"):
            find(node, accession="A-1")
        found = find(node, study=STUDY)
        assert sorted(series.count or 0 for series in found) == [1, 2]


@pytest.mark.parametrize(("study", "accession"), [("", ""), (STUDY, "A-1"), ("1.2.*", ""), ("", "A-*"), ("", "A\\B")])
def test_a_question_that_would_match_other_patients_is_not_asked(study: str, accession: str) -> None:
    with pytest.raises(ChoiceError):
        find(Node("ARCHIVE", "127.0.0.1", 1), study=study, accession=accession)
