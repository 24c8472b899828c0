"""Where things stand: a test is found by its source's name, and a hazard's row in its table."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WINGS = ("inference", "viewer", "training")
CROSSING = {"journeys", "desktop"}
"""Tests that cross rooms: what a user does from one end to the other, offscreen and on a real desktop."""
TESTS = sorted(path for wing in WINGS for path in (ROOT / "tests" / wing).rglob("test_*.py"))
BESIDE_A_SOURCE = [path for path in TESTS if not CROSSING & set(path.parts)]


def names_in(room: Path) -> set[str]:
    """What a test of this room may be named after: a module, a room inside it, or the room itself."""
    return {path.stem for path in room.iterdir() if path.suffix == ".py" or path.is_dir()} | {room.name}


@pytest.mark.parametrize("test", BESIDE_A_SOURCE, ids=lambda path: path.relative_to(ROOT / "tests").as_posix())
def test_a_test_stands_where_its_source_does_and_bears_its_name(test: Path) -> None:
    room = ROOT / test.relative_to(ROOT / "tests").parent
    assert room.is_dir()
    name = test.stem.removeprefix("test_")
    assert any(name == source or name.startswith(f"{source}_") for source in names_in(room)), sorted(names_in(room))
