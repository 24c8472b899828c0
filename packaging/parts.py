"""What is really in a bundle: its list of parts (CycloneDX), the licences of all of them, and no GPL among them.

`python packaging/parts.py FOLDER`, with the Python that the bundle was built from.
"""

import importlib.machinery
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import licence_texts

TABLE = Path(__file__).with_name("shared_libraries.toml")
PROGRAM = "ius-viewer"
BUILDER = "PyInstaller"
"""Its code starts the programs."""
OURS = {"ius", "inference", "viewer"}
PYTHON = re.compile(r"_?pyi(_|mod\d|boot\d)|_sysconfigdata")
"""Modules that Python and PyInstaller make when they are built, or build something."""
LIBRARY = re.compile(r"^lib[^/]*\.(so[.\w]*|dylib|dll)$")


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
        0; 1 after a sentence if a compiled library or a module is of nobody known, or a part is under the GPL or
        has no licence text.
    """
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["library"]
    libraries = [*{path.name: path for path in sorted(folder.rglob("*")) if _is_library(path)}.values()]
    unknown = [path.name for path in libraries if owner(path, rows) is None]
    if unknown:
        print(f"Name these libraries and their licences in {TABLE.name}: {', '.join(unknown)}", file=sys.stderr)
        return 1
    packages, strays = makers(modules(folder) | {BUILDER})
    if strays:
        print(f"No installed package is known to have brought these modules: {', '.join(strays)}", file=sys.stderr)
        return 1
    parts = [Part(one.metadata["Name"], one.version, licence(one)) for one in packages] + shared(libraries, rows)
    gpl = [f"{part.name} ({part.licence})" for part in parts if is_gpl(part.licence)]
    if gpl:
        print(f"Under the GPL, which the bundle must not hold: {', '.join(gpl)}", file=sys.stderr)
        return 1
    (folder / "parts.cdx.json").write_text(_bom(parts), encoding="utf-8")
    found = [row for row in rows if any(owner(path, rows) is row for path in libraries)]
    missing = licence_texts.copy(packages, libraries, found, folder / "licences")
    if missing:
        print(f"Put the licence texts into {licence_texts.OWN}, a folder a name: {', '.join(missing)}", file=sys.stderr)
        return 1
    lines = [
        f"{part.name} {part.version}: {part.licence}" for part in sorted(parts, key=lambda part: part.name.lower())
    ]
    (folder / "licences" / "README.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(parts)} parts, {len(libraries)} compiled libraries, none under the GPL.")
    return 0


def shared(libraries: Sequence[Path], rows: Sequence[Mapping[str, str]]) -> list[Part]:
    """The parts that compiled libraries belong to, each with its files."""
    parts = []
    for row in rows:
        files = [path.name for path in libraries if owner(path, rows) is row]
        if files:
            notes = {
                "files": " ".join(files),
                "brought by": row["from"],
                **({"note": row["note"]} if "note" in row else {}),
            }
            parts.append(Part(row["name"], "", row["licence"], notes))
    return parts


def owner(library: Path, rows: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    """The first row whose expression a library's file name begins with, and whose text it holds; or None."""
    return next((row for row in rows if re.match(row["file"], library.name) and _holds(library, row)), None)


def _holds(library: Path, row: Mapping[str, str]) -> bool:
    return "holds" not in row or row["holds"].encode() in library.read_bytes()


def modules(folder: Path) -> set[str]:
    """The packages in a bundle and the modules in none, those packed into its program too."""
    from PyInstaller.archive.readers import CArchiveReader

    program = CArchiveReader(str(next(path for path in folder.glob(f"{PROGRAM}*") if path.suffix in ("", ".exe"))))
    packed = program.open_embedded_archive(next(name for name in program.toc if name.startswith("PYZ")))
    names = {name.partition(".")[0] for name in packed.toc}
    inside = folder / "_internal"
    for path in inside.rglob("*"):
        if path.name.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)) and path.parent.name != "lib-dynload":
            top = path.relative_to(inside).parts[0]
            if not LIBRARY.match(path.name) and not top.endswith(".libs"):
                names.add(top.partition(".")[0])
    return names


def makers(names: Iterable[str]) -> tuple[list[metadata.Distribution], list[str]]:
    """The installed packages that modules come from, and the modules that come from none.

    Args:
        names: of modules that are in no package, or of packages.
    """
    brought = metadata.packages_distributions()
    foreign = {name for name in names if name not in sys.stdlib_module_names | OURS and not PYTHON.match(name)}
    found = {one for name in foreign for one in brought.get(name, [])} | {"ius"}
    strays = sorted(name for name in foreign if name not in brought)
    return [metadata.distribution(name) for name in sorted(found, key=str.lower)], strays


def licence(part: metadata.Distribution) -> str:
    """What a distribution says of its licence, in its own words: expression, an exception, classifiers, first line."""
    about = part.metadata
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    classified = [
        text.rpartition(" :: ")[2] for text in about.get_all("Classifier") or [] if text.startswith("License")
    ]
    said = (about.get("License") or "").partition("\n")[0]
    return said if "exception" in said else " OR ".join(classified) or said or "unknown"


def is_gpl(words: str) -> bool:
    """Whether a licence is the GPL, with neither an alternative nor the run-time exception."""
    if any(exempt in words for exempt in ("LGPL", "Lesser", "GCC-exception", "special exception which allows")):
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


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
