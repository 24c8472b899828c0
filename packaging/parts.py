"""What is really in a bundle: its list of parts (CycloneDX), the licences of all of them, and no GPL among them.

`python packaging/parts.py FOLDER`, with the Python that the bundle was built from.
"""

import re
import shutil
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

TABLE = Path(__file__).with_name("shared_libraries.toml")
RUNTIME = ("ius", "cpu")
"""The distribution and the extra that the bundle is made of."""
LIBRARY = re.compile(r"^lib[^/]*\.(so[.\w]*|dylib|dll)$")
TEXTS = Path(__file__).with_name("licences")
"""Licences that no wheel brings although it must."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something in the bundle that somebody else made.

    Attributes:
        name: of the work.
        version: empty where the files alone tell it.
        licence: in its author's words.
        notes: what else is to be said, by subject: its files, who brought it, what is known to be wrong with it.
    """

    name: str
    version: str
    licence: str
    notes: Mapping[str, str] = field(default_factory=dict)


def main(folder: Path) -> int:
    """Write parts.cdx.json and licences/ into the bundle.

    Returns:
        0; 1 after a sentence if a compiled library is unknown or a part is under the GPL.
    """
    rows = tomllib.loads(TABLE.read_text())["library"]
    libraries = sorted({path.name for path in folder.rglob("*") if _is_library(path)})
    unknown = [name for name in libraries if owner(name, rows) is None]
    if unknown:
        print(f"Name these libraries and their licences in {TABLE.name}: {', '.join(unknown)}", file=sys.stderr)
        return 1
    packages = [*distributions(*RUNTIME)]
    parts = [Part(one.metadata["Name"], one.version, licence(one)) for one in packages] + shared(libraries, rows)
    gpl = [f"{part.name} ({part.licence})" for part in parts if is_gpl(part.licence)]
    if gpl:
        print(f"Under the GPL, which the bundle must not hold: {', '.join(gpl)}", file=sys.stderr)
        return 1
    (folder / "parts.cdx.json").write_text(_bom(parts))
    _copy_licences(packages, folder / "licences")
    lines = [
        f"{part.name} {part.version}: {part.licence}" for part in sorted(parts, key=lambda part: part.name.lower())
    ]
    (folder / "licences" / "README.txt").write_text("\n".join(lines) + "\n")
    print(f"{len(parts)} parts, {len(libraries)} compiled libraries, none under the GPL.")
    return 0


def shared(libraries: Sequence[str], rows: Sequence[Mapping[str, str]]) -> list[Part]:
    """The parts that compiled libraries belong to, each with its files."""
    parts = []
    for row in rows:
        files = [name for name in libraries if owner(name, rows) is row]
        if files:
            notes = {
                "files": " ".join(files),
                "brought by": row["from"],
                **({"note": row["note"]} if "note" in row else {}),
            }
            parts.append(Part(row["name"], "", row["licence"], notes))
    return parts


def owner(name: str, rows: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    """The first row whose expression a library's file name begins with, or None."""
    return next((row for row in rows if re.match(row["file"], name)), None)


def distributions(name: str, extra: str = "", seen: set[str] | None = None) -> Iterator[metadata.Distribution]:
    """A distribution and all that it needs at run time."""
    seen = set() if seen is None else seen
    if (name, extra) in seen or (not extra and name in {one for one, _ in seen}):
        return
    seen.add((name, extra))
    yield metadata.distribution(name)
    for text in metadata.requires(name) or []:
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": extra}):
            yield from distributions(re.sub(r"[-_.]+", "-", needed.name).lower(), seen=seen)


def licence(part: metadata.Distribution) -> str:
    """What a distribution says of its licence, in its own words: expression, first line, classifiers."""
    about = part.metadata
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    classified = [
        text.rpartition(" :: ")[2] for text in about.get_all("Classifier") or [] if text.startswith("License")
    ]
    said = (about.get("License") or "").partition("\n")[0]
    return " OR ".join(classified) or said or "unknown"


def is_gpl(words: str) -> bool:
    """Whether a licence is the GPL, with neither an alternative nor the run-time exception."""
    if "LGPL" in words or "Lesser" in words or "GCC-exception" in words:
        return False
    return bool(re.search(r"GPL|General Public", words))


def _is_library(path: Path) -> bool:
    """Whether a file is a library of its own; Qt's plug-ins are Qt's."""
    return bool(LIBRARY.match(path.name)) and "plugins" not in path.parts and not path.is_symlink()


def _bom(parts: Sequence[Part]) -> str:
    """CycloneDX 1.6, JSON."""
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.license import DisjunctiveLicense
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    bom = Bom()
    whole = bom.metadata.component = Component(
        name="ius", type=ComponentType.APPLICATION, version=metadata.version("ius"), bom_ref="ius-bundle"
    )
    for part in parts:
        one = Component(
            name=part.name,
            version=part.version or None,
            type=ComponentType.LIBRARY,
            licenses=[DisjunctiveLicense(name=part.licence)],
            purl=PackageURL("pypi", None, part.name.lower(), part.version) if part.version else None,
            properties=[Property(name=f"ius:{name}", value=value) for name, value in part.notes.items()],
        )
        bom.components.add(one)
        bom.register_dependency(whole, [one])
    return JsonV1Dot6(bom).output_as_string(indent=1)


def _copy_licences(packages: Sequence[metadata.Distribution], folder: Path) -> None:
    """What each package says, and what Qt, FFmpeg and Python want to be said."""
    shutil.copytree(TEXTS, folder, dirs_exist_ok=True)
    python = Path(sysconfig.get_path("stdlib"), "LICENSE.txt")
    if python.is_file():
        shutil.copy(python, folder / "Python.txt")
    for part in packages:
        texts = [
            path for path in part.files or [] if re.search(r"(?i)(licen[cs]e|copying|notice|copyright)", path.name)
        ]
        for text in texts:
            source = Path(str(part.locate_file(text)))
            if source.is_file() and source.suffix != ".py":
                target = folder / f"{part.metadata['Name']}-{part.version}" / text.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
