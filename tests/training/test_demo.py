"""The demonstration's stages: every one is a command that the command line takes, and the Makefile starts them."""

import shlex
from pathlib import Path

import pytest

from training.cli import parser
from training.demo import FULL, SMALL, Size, stages
from training.nnunet.names import dataset_name, model_folder

MAKEFILE = Path(__file__).parents[2] / "Makefile"


@pytest.mark.parametrize(("size", "small"), [(FULL, False), (SMALL, True)])
def test_every_stage_is_understood_and_reads_what_an_earlier_one_wrote(tmp_path: Path, size: Size, small: bool):
    written: set[Path] = set()
    for words in stages(tmp_path / "work", tmp_path / "out", size, 2, small=small):
        given = vars(parser().parse_args(words))
        read = [given.get(name) for name in ("slices", "model", "start", "verify", "baseline")]
        paths = [path for one in read if one for path in (one if isinstance(one, list) else [one])]
        assert set(map(Path, paths)) <= written, words
        if words[0] == "fit":
            written.add(model_folder(given["work"], dataset_name(given["dataset_id"], given["title"]), given["plan"]))
        else:
            written.add(given["out"])
    assert tmp_path / "out" / "models" / "demo.onnx" in written


def test_the_makefiles_command_is_understood():
    recipe = MAKEFILE.read_text().split("\ndemo-model:")[1].splitlines()[1]
    _, *words = shlex.split(recipe)
    assert parser().parse_args(words).out == Path("assets")
