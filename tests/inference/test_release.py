"""Where new versions are: said where the package says so, and nowhere else."""

from pathlib import Path

import pytest

from inference import cli
from inference.release import in_words, releases
from inference.version import __version__

ADDRESS = "https://releases.example/ius"


@pytest.fixture
def stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that states the address."""
    about = tmp_path / "ius-9.9.9.dist-info" / "METADATA"
    about.parent.mkdir()
    about.write_text(f"Metadata-Version: 2.4\nName: ius\nVersion: 9.9.9\nProject-URL: Releases, {ADDRESS}\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_it_is_told_with_the_version(stated: None, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out.splitlines() == [f"ius-segment {__version__}", f"New versions: {ADDRESS}"]


def test_a_package_that_states_none_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    if releases():
        pytest.skip("this package states one")
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"ius-segment {__version__}\n"
    assert in_words() == ""
