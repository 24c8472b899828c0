"""What waits is sent by itself once the archive is there: a real one on this computer."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.uid import UltrasoundImageStorage
from pynetdicom import AE, evt

from inference.export.capture import Capture
from inference.export.dicom import write_dicom_pair
from inference.export.outbox import Sent, outbox_to
from inference.jobs.courier import Courier, pauses, told
from inference.outcome import UnknownSpacing
from inference.sources.simulated import PhantomSource


def exported(folder: Path, number: int) -> Path:
    with PhantomSource(rows=96, cols=128, count=2) as source:
        outcome = UnknownSpacing(source.read(number), "Nobody knows.")
    return write_dicom_pair(Capture(outcome, (0.0, 255.0)), folder / f"{number}.dcm").image


def test_an_archive_that_comes_back_gets_what_waited_and_then_what_is_new(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    port, said, came = free_port(), list[str](), threading.Semaphore(0)
    heard, address = threading.Event(), f"ARCHIVE@127.0.0.1:{port}"
    outbox = outbox_to(tmp_path / "outbox", address)
    outbox.put(exported(tmp_path, 0))

    def hear(sentence: str, _: object) -> None:
        said.append(sentence)
        heard.set()

    def store(_: evt.Event) -> int:
        came.release()
        return 0x0000

    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(UltrasoundImageStorage)
    with Courier(tmp_path / "outbox", hear, first_s=0.02):
        assert heard.wait(20.0)
        assert "doesn't answer" in said[0]
        server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
        try:
            assert came.acquire(timeout=20.0)
            outbox.put(exported(tmp_path, 1))
            assert came.acquire(timeout=20.0)
        finally:
            server.shutdown()
    assert len([one for one in said if "doesn't answer" in one]) == 1, "a reason is said once"
    assert not [thread for thread in threading.enumerate() if thread.name == "ius-courier"]


def test_pauses_grow_to_ten_minutes() -> None:
    grown = list(itertools.islice(pauses(), 9))
    assert grown == [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 600.0, 600.0]


@pytest.mark.parametrize(
    ("sent", "known", "words"),
    [
        (Sent(2, 0), "", ["2 files sent"]),
        (Sent(2, 0, again=1), "", ["look for doubles"]),
        (Sent(2, 0, warned=1), "", ["did not keep all of 1 file"]),
        (Sent(1, 1, "Refused."), "", ["1 file sent", "still in the outbox"]),
        (Sent(0, 1, "Refused."), "Refused.", []),
    ],
)
def test_a_person_is_told_what_is_new(sent: Sent, known: str, words: list[str]) -> None:
    sentences = [sentence for sentence, _ in told("ARCHIVE@pacs:104", sent, known)]
    assert len(sentences) == len(words)
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True))
