"""What is really in a bundle: its list of parts (CycloneDX), the licences of all of them, and no GPL among them.

`python packaging/parts.py FOLDER`, with the Python that the bundle was built from.
"""

import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

TABLE = Path(__file__).with_name("shared_libraries.toml")
RUNTIME = ("ius", "cpu")
"""The distribution and the extra that the bundle is made of."""
LIBRARY = re.compile(r"^lib[^/]*\.(so[.\d]*|dylib|dll)$")


def main(folder: Path) -> int:
    """Write parts.cdx.json and licences/ into the bundle.

    Returns:
        0; 1 after a sentence if a compiled library is unknown or a part is under the GPL.
    """
    parts = [*distributions(*RUNTIME)]
    rows = tomllib.loads(TABLE.read_text())["library"]
    libraries = sorted({path.name for path in folder.rglob("*") if LIBRARY.match(path.name) and not path.is_symlink()})
    owners = {name: _owner(name, rows) for name in libraries if not _is_plugin(name)}
    unknown = [name for name, row in owners.items() if row is None]
    if unknown:
        print(f"Name these libraries and their licences in {TABLE.name}: {', '.join(unknown)}", file=sys.stderr)
        return 1
    bom = Bom(components=[_of_distribution(part) for part in parts])
    bom.metadata.component = Component(name="ius", type=ComponentType.APPLICATION, version=metadata.version("ius"))
    for row in rows:
        files = [name for name, owner in owners.items() if owner is row]
        if files:
            bom.components.add(_of_library(row, files))
    gpl = [f"{one.name} ({_words(one)})" for one in bom.components if is_gpl(_words(one))]
    if gpl:
        print(f"Under the GPL, which the bundle must not hold: {', '.join(gpl)}", file=sys.stderr)
        return 1
    (folder / "parts.cdx.json").write_text(JsonV1Dot6(bom).output_as_string(indent=1))
    _copy_licences(parts, folder / "licences")
    print(f"{len(bom.components)} parts, {len(libraries)} compiled libraries, none under the GPL.")
    return 0


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
    classified = [text.rpartition(" :: ")[2] for text in about.get_all("Classifier") or [] if text.startswith("License")]
    said = (about.get("License") or "").partition("\n")[0]
    return " OR ".join(classified) or said or "unknown"


def is_gpl(words: str) -> bool:
    """Whether a licence is the GPL, with neither an alternative nor the run-time exception."""
    if "LGPL" in words or "Lesser" in words or "GCC-exception" in words:
        return False
    return bool(re.search(r"GPL|General Public", words))


def _owner(name: str, rows: list[dict[str, str]]) -> dict[str, str] | None:
    return next((row for row in rows if re.match(row["file"], name)), None)


def _is_plugin(name: str) -> bool:
    """Qt's plug-ins carry plain names (libqxcb.so); they are Qt's own."""
    return bool(re.match(r"lib(q[a-z]|[a-z-]*(shell|integration|generic|glx|egl|compose|ibus|wl|dnd))", name)) and "." in name


def _of_distribution(part: metadata.Distribution) -> Component:
    name, version = part.metadata["Name"], part.version
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        licenses=[DisjunctiveLicense(name=licence(part))],
        purl=PackageURL("pypi", None, name.lower(), version),
    )


def _of_library(row: dict[str, str], files: list[str]) -> Component:
    said = {"files": " ".join(files), "brought by": row["from"]} | ({"note": row["note"]} if "note" in row else {})
    return Component(
        name=row["name"],
        type=ComponentType.LIBRARY,
        licenses=[DisjunctiveLicense(name=row["licence"])],
        properties=[Property(name=f"ius:{name}", value=value) for name, value in said.items()],
    )


def _words(part: Component) -> str:
    return " ".join(one.name for one in part.licenses if isinstance(one, DisjunctiveLicense) and one.name)


def _copy_licences(parts: list[metadata.Distribution], folder: Path) -> None:
    for part in parts:
        texts = [path for path in part.files or [] if re.search(r"(?i)(licen[cs]e|copying|notice|copyright)", path.name)]
        for text in texts:
            source = Path(str(part.locate_file(text)))
            if source.is_file() and source.suffix != ".py":
                target = folder / f"{part.metadata['Name']}-{part.version}" / text.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
