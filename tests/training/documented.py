"""The commands that README.md and the guides print, in their order, as a shell would split them."""

import glob
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/guide").glob("*.md")))
_COMMAND = re.compile(r"^ {4}(?:\.venv/bin/)?(ius-(?:train|segment|viewer) .*)$")
_COMMENT = re.compile(r" {2,}(?=\S)(?!--)")
"""Words behind two spaces say what a command does."""


@dataclass(frozen=True, slots=True)
class Command:
    """A printed command: where it stands, and its words."""

    page: str
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        return self.words[0]

    @property
    def stage(self) -> str:
        return self.words[1] if len(self.words) > 1 else ""

    def __str__(self) -> str:
        return " ".join(f'"{word}"' if " " in word else word for word in self.words)

    def expanded(self, folder: Path) -> list[str]:
        """The words after the program's name, with a shell's wildcards found in `folder`."""
        found: list[str] = []
        for word in self.words[1:]:
            found += sorted(glob.glob(word, root_dir=folder)) if "*" in word else [word]  # noqa: PTH207 - relative names
        return found


def commands(page: str) -> Iterator[Command]:
    """Every command in a page's code blocks."""
    for line in (ROOT / page).read_text().replace("\\\n", " ").splitlines():
        printed = _COMMAND.match(line)
        if printed:
            yield Command(page, tuple(shlex.split(_COMMENT.split(printed[1])[0])))


ALL = [command for page in PAGES for command in commands(page)]

NEEDS = {
    "experiment": "runs an experiment, for which test_experiment.py has a smaller one",
    "--remind": "needs ReMIND as it is downloaded",
    "--volumes": "needs the nine real volumes that were outlined by eye",
    "MRI_200-model.zip": "needs the published model",
    "--folder": "needs cases that were corrected in the viewer",
    "--nnunet": "needs another's raw data set, which test_pictures.py writes",
    "cuda": "needs a graphics card",
    "REG-deformable": "needs a second registration, for which test_refine.py has a smaller one",
    "--start": "needs weights that were trained elsewhere, which test_pretrained.py writes",
    "certainty": "needs forty contours of patients of their own, which test_certainty.py makes",
    "nnunet": "runs nnU-Net's own commands for a minute: test_commands.py has what is ours of it",
}
"""A word of a command -> why it is only parsed where such files are not."""


def steps() -> list[Command]:
    """The researcher's steps that simulated files suffice for, README's first, each once."""
    pages = ("README.md", "docs/guide/researcher.md")
    chosen = [one for page in pages for one in commands(page) if one.program == "ius-train"]
    runnable = [one for one in chosen if not set(one.words) & set(NEEDS)]
    seen: dict[tuple[str, ...], Command] = {}
    for one in runnable:
        seen.setdefault(one.words, one)
    return list(seen.values())
