"""The full licence texts of all that is in a bundle: a folder for each package, for Python, for the system."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

OWN = Path(__file__).with_name("licences")
"""Texts that wheels do not bring although they must, in folders of their packages' names."""
NAMES = re.compile(r"(?i)(licen[cs]e|copying|notice|copyright)")
NO_TEXT = {".py", ".pyc", ".so", ".pyd"}
DOCUMENTS, COMMON = Path("/usr/share/doc"), Path("/usr/share/common-licenses")


def copy(
    packages: Sequence[metadata.Distribution],
    libraries: Iterable[Path],
    rows: Iterable[Mapping[str, Any]],
    folder: Path,
) -> list[str]:
    """Write the texts.

    Args:
        packages: whose modules are in the bundle.
        libraries: the compiled libraries in it.
        rows: of the table of libraries that are there.
        folder: is written into.

    Returns:
        Names of packages and libraries of which no text is at hand.
    """
    missing = [part.metadata["Name"] for part in packages if not of_package(part, folder)]
    missing += [] if of_python(folder) else ["Python"]
    brought = {path.name for part in packages for path in part.files or []}
    for library in sorted(libraries):
        python = library.name.startswith("libpython") or (sys.platform != "linux" and _from_python(library, rows))
        if library.name not in brought and not python and not of_debian(_owner(library.name), folder):
            missing.append(library.name)
    missing += [row["debian"] for row in rows if "debian" in row and not of_debian(row["debian"], folder)]
    _copy_common(folder)
    return missing


def of_package(part: metadata.Distribution, folder: Path) -> bool:
    """Copy what a package brings, each text under its own path, and what it should bring; whether there is any."""
    name = part.metadata["Name"]
    target = folder / f"{name}-{part.version}"
    for path in part.files or []:
        source = Path(str(part.locate_file(path)))
        if NAMES.search(path.name) and path.suffix not in NO_TEXT and ".." not in path.parts and source.is_file():
            # The part of its path in the package: several texts have one name.
            inside = target.joinpath(*path.parts[path.parts[0].endswith(".dist-info") :])
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, inside)
    if (OWN / name).is_dir():
        shutil.copytree(OWN / name, target, dirs_exist_ok=True)
    return target.is_dir()


def of_python(folder: Path) -> bool:
    """Copy Python's own text, and those of the works in it; whether the former is there."""
    shutil.copytree(OWN / "Python", folder / "Python", dirs_exist_ok=True)
    version = sysconfig.get_python_version()
    places = (
        Path(sysconfig.get_path("stdlib"), "LICENSE.txt"),
        Path(sys.base_prefix, "LICENSE.txt"),
        DOCUMENTS / f"python{version}-minimal" / "copyright",
    )
    text = next((place for place in places if place.is_file()), None)
    if text:
        shutil.copy(text, folder / "Python" / "LICENSE.txt")
    return text is not None


def of_debian(package: str, folder: Path) -> bool:
    """Copy what an installed package of Debian or Ubuntu says of its copyright; whether it says something."""
    source = DOCUMENTS / package / "copyright"
    if not package or not source.is_file():
        return False
    folder.joinpath("system").mkdir(parents=True, exist_ok=True)
    shutil.copy(source, folder / "system" / f"{package}.txt")
    return True


def _owner(library: str) -> str:
    """The package of the system with a file of this name; empty if there is none."""
    if not shutil.which("dpkg-query"):
        return ""
    found = subprocess.run(["dpkg-query", "--search", f"*/{library}"], check=False, capture_output=True, text=True)
    return found.stdout.partition(":")[0]


def _from_python(library: Path, rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether Python's installers for Windows and macOS bring this library; their text speaks of it."""
    return any(re.match(row["file"], library.name) and "Python" in row["from"] for row in rows)


def _copy_common(folder: Path) -> None:
    """The texts that Debian's refer to, but the GPL: that of Debian's scripts and of programs that are not here."""
    said = "".join(text.read_text("utf-8", "replace") for text in (folder / "system").glob("*.txt"))
    for name in set(re.findall(rf"{COMMON}/(\w[\w.-]*\w)", said)):
        source = COMMON / name
        if not name.startswith(("GPL", "GFDL")) and source.is_file():
            (folder / "system" / "common-licenses").mkdir(exist_ok=True)
            shutil.copy(source, folder / "system" / "common-licenses" / name)
