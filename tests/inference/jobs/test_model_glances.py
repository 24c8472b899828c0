"""Model files at a glance: read without their networks, and what cannot be used says why."""

from pathlib import Path

from inference.assets import demo_model_path
from inference.jobs.model_glances import GONE, ModelGlances, glance_at


def test_the_bundled_model_says_on_whom_it_was_trained() -> None:
    glance = glance_at(demo_model_path())
    assert glance.usable
    assert glance.name.startswith("Demonstration")
    assert "simulated patients" in glance.words


def test_what_is_no_model_says_why(tmp_path: Path) -> None:
    empty, foreign = tmp_path / "empty.onnx", tmp_path / "foreign.onnx"
    empty.touch()
    foreign.write_bytes(b"\x08\x08")
    gone, nothing, other = (glance_at(path) for path in (tmp_path / "gone.onnx", empty, foreign))
    assert (gone.words, nothing.words) == (GONE, GONE)
    assert "carries no ius contract" in other.words
    assert not any(glance.usable for glance in (gone, nothing, other))
    assert gone.name == "gone.onnx"


def test_the_newest_request_is_answered_once(tmp_path: Path) -> None:
    glances = ModelGlances()
    glances.ask([tmp_path / "first.onnx"])
    glances.ask([tmp_path / "second.onnx", demo_model_path()])
    assert glances._running is not None
    glances._running.result(timeout=10)
    found = glances.poll()
    glances.close()
    assert found is not None
    assert [glance.path.name for glance in found] == ["second.onnx", "demo.onnx"]
    assert glances.poll() is None
