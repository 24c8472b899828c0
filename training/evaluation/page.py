"""Writes a report of one population as a single HTML file that opens offline, and as Markdown."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from platform import python_version

from training.evaluation.population import Population, only
from training.evaluation.tables import Table
from training.evaluation.written import replace_earlier
from training.io.files import written_aside

RESEARCH = "Research use only. Not for diagnosis or treatment."
_PACKAGES = ("ius", "numpy", "scipy", "SimpleITK", "matplotlib", "nnunetv2", "torch")


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure's PNG and what it shows."""

    path: Path
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report.

    Attributes:
        title: its heading.
        population: the patients whose figures it holds.
        pictures: shown above the tables.
        tables: shown below the pictures.
        words: paragraphs before both.
    """

    title: str
    population: Population
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report.

    Attributes:
        title: its heading.
        data: the data, in words.
        counts: how many slices of how many patients.
        sections: its sections in order, all of one population.
        conventions: how the figures are counted; empty leaves the section out.
    """

    title: str
    data: str
    counts: str
    sections: tuple[Section, ...]
    conventions: tuple[str, ...] = ()

    @property
    def population(self) -> Population:
        """The one population of all sections.

        Raises:
            PopulationError: if they are of two populations.
        """
        return only(section.population for section in self.sections)

    def write(self, out: Path, beside: Iterable[Path] = ()) -> None:
        """Write `report.html` and `report.md` into a folder, and remove what an earlier report left there.

        Args:
            out: the folder, with the tables and pictures that the sections show.
            beside: what else was written for this report, in the same folder.

        Raises:
            PopulationError: if the sections are of two populations.
        """
        for name, text in (("report.html", self.as_html()), ("report.md", self.as_markdown())):
            with written_aside(out / name) as aside:
                aside.write_text(text, encoding="utf-8")
        replace_earlier(out, [out / "report.html", out / "report.md", *self._shown(out), *beside])

    def _shown(self, out: Path) -> Iterator[Path]:
        """The files of the tables and pictures that the sections show."""
        for section in self.sections:
            tables = [out / "tables" / f"{table.key}.csv" for table in section.tables]
            pictures = [path for one in section.pictures for path in (one.path, one.path.with_suffix(".csv"))]
            yield from (path for path in (*tables, *pictures) if path.is_file())

    def as_markdown(self) -> str:
        """The report as Markdown, with pictures as relative paths."""
        parts = [f"# {self.title}", *self._notes()]
        for section in self.sections:
            parts += [f"## {section.title}", *section.words]
            parts += [f"![{one.title}](figures/{one.path.name})\n\n{one.note}" for one in section.pictures]
            for title, table in _untitled(section):
                parts += [f"### {title}" if title else "", table.as_markdown(), table.note]
        if self.conventions:
            parts += ["## How it is counted", "\n".join(f"- {words}" for words in self.conventions)]
        return "\n\n".join(part for part in [*parts, f"Made with {versions()}."] if part) + "\n"

    def as_html(self) -> str:
        """The report as one HTML file with the pictures inside."""
        style = files("training.evaluation").joinpath("page.css").read_text(encoding="utf-8")
        kind = "simulated" if self.population.simulated else "real"
        banner = (
            f"<p class=banner>{escape(self.population.value)}</p>" if self.population is not Population.REAL else ""
        )
        links = "".join(f'<a href="#s{at}">{escape(one.title)}</a>' for at, one in enumerate(self.sections))
        body = "".join(_section(at, one) for at, one in enumerate(self.sections))
        counted = "".join(f"<li>{escape(words)}</li>" for words in self.conventions)
        counted = f"<section><h2>How it is counted</h2><ul>{counted}</ul></section>" if counted else ""
        return (
            f"<!doctype html>\n<html lang=en class={kind}><meta charset=utf-8>"
            f'<meta name=viewport content="width=device-width,initial-scale=1"><title>{escape(self.title)}</title>'
            f"<style>{style}</style>{banner}<main><header><h1>{escape(self.title)}</h1>"
            f"<p class=data>{escape(self.data)}</p><p class=counts>{escape(self.counts)} {RESEARCH}</p>"
            f"<nav>{links}</nav></header>"
            f"{body}{counted}<footer>Made with {escape(versions())}.</footer></main></html>\n"
        )

    def _notes(self) -> Iterator[str]:
        """The notes at the top of the report."""
        yield from (self.population.value, self.data, self.counts, RESEARCH)


def versions() -> str:
    """The installed versions, as `ius 0.1.0, numpy 2.4.6, ..., Python 3.11.2`."""
    return ", ".join(
        [f"{name} {_version(name)}" for name in _PACKAGES if _version(name)] + [f"Python {python_version()}"]
    )


def _version(name: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _section(at: int, section: Section) -> str:
    """One section as HTML."""
    words = "".join(f"<p>{escape(words)}</p>" for words in section.words)
    noted = {table.note for table in section.tables}
    pictures = "".join(_picture(one, "" if one.note in noted else one.note) for one in section.pictures)
    tables = "".join(map(_table, _untitled(section)))
    return f"<section id=s{at}><h2>{escape(section.title)}</h2>{words}{pictures}{tables}</section>"


def _untitled(section: Section) -> Sequence[tuple[str, Table]]:
    """Each table with its heading, which is left out if it repeats the section's."""
    return [("" if table.title == section.title else table.title, table) for table in section.tables]


def _table(titled: tuple[str, Table]) -> str:
    """A table with its heading and note as HTML."""
    title, table = titled
    body = f"<div class=table>{table.as_html()}</div><p class=note>{escape(table.note)}</p>"
    if table.long:
        return f"<details><summary>{escape(title or table.title)}</summary>{body}</details>"
    return f"<h3>{escape(title)}</h3>{body}" if title else body


def _picture(picture: Picture, note: str) -> str:
    """A picture as HTML, with its note unless a table below has the same note."""
    data = base64.b64encode(picture.path.read_bytes()).decode()
    image = f'<img src="data:image/png;base64,{data}" alt="{escape(picture.title)}">'
    return f"<figure>{image}<figcaption><b>{escape(picture.title)}.</b> {escape(note)}</figcaption></figure>"
