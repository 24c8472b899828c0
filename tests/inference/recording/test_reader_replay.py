"""A record opened again: with the same model the same masks, with its scale and provenance; after a kill too."""

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic

import nibabel as nib
import numpy as np
import pytest

from inference import cli
from inference.assets import demo_clip_path, demo_model_path
from inference.live.playback import Playback
from inference.live.stream import Stream
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import Outcome, Tumour
from inference.recording.recorder import Recorder
from inference.sources import open_source
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing, Provenance

SOAK = Path(__file__).parents[2] / "soak" / "soak_kill.py"


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(Engine.load(demo_model_path()))


@pytest.fixture(scope="module")
def recorded(segmenter: Segmenter, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Outcome]]:
    """The bundled clip played through the live path while it is recorded, and what was said of each frame."""
    path, said = tmp_path_factory.mktemp("record") / "clip.mcap", list[Outcome]()
    playback = Playback(open_source(str(demo_clip_path())), fps=8, loop=False)
    playback.seek(len(playback) // 2)
    recorder = Recorder(path, playback.info)

    def analyse(frame: object) -> Outcome:
        recorder.frame(frame)  # type: ignore[arg-type]
        said.append(outcome := segmenter(frame))  # type: ignore[arg-type]
        recorder.outcome(outcome)
        return outcome

    stream = Stream(playback, analyse)
    stream.start()
    deadline = monotonic() + 60
    while len(said) < 8 and monotonic() < deadline:
        stream.take()
    stream.close()
    assert recorder.close().dropped == 0
    return path, said


def test_the_same_model_gives_the_same_masks(
    recorded: tuple[Path, list[Outcome]], segmenter: Segmenter, tmp_path: Path
) -> None:
    path, said = recorded
    assert any(isinstance(outcome, Tumour) for outcome in said)
    with RecordSource(path) as source:
        assert len(source) == len(said)
        for index, then in enumerate(said):
            now = segmenter(source.read(index))
            assert type(now) is type(then)
            assert now.frame.spacing == then.frame.spacing
            if isinstance(now, Tumour) and isinstance(then, Tumour):
                assert np.array_equal(now.mask, then.mask)
    assert cli.main(["run", str(path), "--out", str(tmp_path)]) == cli.WELL
    masks = np.asarray(nib.load(tmp_path / "masks.nii.gz").dataobj)
    for index, then in enumerate(said):
        then_mask = then.mask if isinstance(then, Tumour) else np.zeros_like(masks[..., index].T)
        assert np.array_equal(masks[..., index].T, then_mask)


def test_scale_and_provenance_are_those_of_the_source(recorded: tuple[Path, list[Outcome]]) -> None:
    with open_source(str(recorded[0])) as source, open_source(str(demo_clip_path())) as clip:
        assert source.info.spacing == clip.info.spacing
        assert source.info.levels == clip.info.levels
        assert source.info.origin.simulated
    typed = PixelSpacing(0.1, 0.2, Provenance.TYPED)
    with open_source(str(recorded[0]), spacing=typed) as source:
        assert (source.info.spacing, source.read(0).spacing) == (typed, typed)


def test_inspect_says_where_a_cut_record_ends(
    recorded: tuple[Path, list[Outcome]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.mcap"
    data = recorded[0].read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    assert cli.main(["inspect", str(cut), "--json"]) == cli.WELL
    shown = json.loads(capsys.readouterr().out)
    assert 0 < shown["frames"] < len(recorded[1])
    assert "cut off at" in shown["record"]


def test_a_recording_that_is_killed_keeps_all_but_the_last_moment() -> None:
    """Three kills; twenty by `make soak`."""
    short = ["--kills", "3", "--longest", "1.2", "--only-kills"]
    run = subprocess.run([sys.executable, str(SOAK), *short], capture_output=True, text=True, check=False, timeout=150)
    assert run.returncode == 0, run.stdout + run.stderr
