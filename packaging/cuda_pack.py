"""Everything that a computer with an NVIDIA card and without internet needs: `cuda_pack.py FOLDER`, on one like it.

The folder then holds the wheels of `ius[cuda]`, SHA256SUMS, and install.sh, which asks no network. `--dry-run`
downloads no wheel: it lists them with their sizes.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUMS = "SHA256SUMS"
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
WANTED = ("-c", str(ROOT / "packaging" / "constraints.txt"))
INSTALL = """#!/bin/sh
# Installs ius with CUDA from this folder alone, into a new environment: ./install.sh FOLDER. Needs Python {python}.
set -eu
target=${{1:?give the folder of the new environment}}
cd "$(dirname "$0")"
sha256sum --check --quiet SHA256SUMS
python{python} -m venv "$target"
"$target/bin/python" -m pip install --no-index --find-links . 'ius[cuda]'
"$target/bin/ius-segment" --version
"""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel as an index has it.

    Attributes:
        name: of its file.
        address: where it is.
        size: bytes; None if the index does not say.
    """

    name: str
    address: str
    size: int | None


def main() -> int:
    """Fill the folder, or say what would be in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="only list the wheels with their sizes")
    arguments = parser.parse_args()
    if arguments.dry_run:
        print(listed(resolved()))
        return 0
    arguments.folder.mkdir(parents=True)
    subprocess.run([*PIP, "wheel", "--no-deps", "--wheel-dir", str(arguments.folder), str(ROOT)], check=True)
    (own,) = arguments.folder.glob("ius-*.whl")
    # Not `download`: crcmod comes as a source, which is made a wheel here.
    subprocess.run([*PIP, "wheel", *WANTED, "--wheel-dir", str(arguments.folder), f"{own}[cuda]"], check=True)
    seal(arguments.folder)
    print((arguments.folder / SUMS).read_text(encoding="utf-8"), end="")
    return 0


def resolved() -> list[Wheel]:
    """The wheels that pip would install on a computer like this one, all but our own."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        asked = [*PIP, "install", "--dry-run", "--ignore-installed", "--report", str(report), *WANTED, f"{ROOT}[cuda]"]
        subprocess.run(asked, check=True)
        parts = json.loads(report.read_text(encoding="utf-8"))["install"]
    addresses = [part["download_info"]["url"] for part in parts]
    return [wheel(address) for address in sorted(addresses) if not address.startswith("file://" + str(ROOT))]


def wheel(address: str) -> Wheel:
    """What an index says of a wheel without sending it."""
    name = urllib.request.unquote(address.rpartition("/")[2].partition("#")[0])
    if address.startswith("file://"):
        return Wheel(name, address, Path(address.removeprefix("file://")).stat().st_size)
    question = urllib.request.Request(address, method="HEAD")  # noqa: S310 (the index's own address)
    with urllib.request.urlopen(question) as answer:  # noqa: S310
        length = answer.headers["Content-Length"]
    return Wheel(name, address, None if length is None else int(length))


def listed(wheels: Sequence[Wheel]) -> str:
    """A line a wheel, the largest first, and their sum."""
    ordered = sorted(wheels, key=lambda one: (-(one.size or 0), one.name))
    lines = [f"{'?' if one.size is None else f'{one.size / 1e6:.1f}':>8} MB  {one.name}" for one in ordered]
    whole = sum(one.size or 0 for one in wheels) / 1e6
    return "\n".join([*lines, f"{whole:8.1f} MB  in {len(wheels)} wheels"])


def seal(folder: Path) -> None:
    """Write the sums of all wheels, and what installs them."""
    lines = []
    for path in sorted(folder.glob("*.whl")):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    script = folder / "install.sh"
    script.write_text(INSTALL.format(python=f"{sys.version_info.major}.{sys.version_info.minor}"), encoding="utf-8")
    script.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())
