"""What a stranger installs: the wheel in an empty environment, and the bundle, each started far from the checkout.

    .venv/bin/python tests/soak/soak_packages.py [--no-bundle]

The bundle is built if it is not there. Both run with an empty environment, offscreen.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/soak")]

from figures import Figures  # noqa: E402 - its folder is no package
from hatchling.builders.wheel import WheelBuilder  # noqa: E402

from inference.version import __version__  # noqa: E402

BUNDLE = ROOT / "build" / "bundle" / "ius"


def megabytes(path: Path) -> float:
    """What a file or a folder takes on the disk."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files) / 1e6


def timed(figures: Figures, name: str, *command: str | Path, cwd: Path) -> str:
    """Run a command with an empty environment, and note how long it took; what it printed."""
    began = monotonic()
    variables = {"HOME": str(cwd), "QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)
    figures.add(name, monotonic() - began, "s")
    figures.check(f"{name}: it ends well", holds=done.returncode == 0)
    sys.stderr.write(done.stderr[-2000:] if done.returncode else "")
    return done.stdout


def wheel(figures: Figures, folder: Path) -> None:
    """Build it, install it where nothing is, and run each command from another folder."""
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    figures.add("wheel", megabytes(Path(built)), "MB")
    empty = folder / "Eine Umgebung für Ärzte"
    venv.create(empty, with_pip=True)
    programs, away = empty / "bin", folder / "away"
    away.mkdir()
    constraints = ROOT / "packaging" / "constraints.txt"
    pip = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", constraints]
    timed(figures, "install the wheel", *pip, f"{built}[cpu]", cwd=folder)
    figures.add("wheel, installed with all it needs", megabytes(empty), "MB")
    for command in ("ius-viewer", "ius-segment", "ius-train"):
        said = timed(figures, f"{command} --version", programs / command, "--version", cwd=away)
        figures.check(f"{command} says its version", holds=said.splitlines()[:1] == [f"{command} {__version__}"])
    found = timed(
        figures, "find the bundled clip", programs / "python", "-c",
        "from inference.assets import demo_clip_path; print(demo_clip_path())", cwd=away,
    )  # fmt: skip
    timed(figures, "analyse the clip", programs / "ius-segment", "run", found.strip(), "--out", away / "out", cwd=away)
    figures.check("there are readings", holds=(away / "out" / "readings.csv").is_file())
    demo = ["--demo", "--exit-after", "20", "--status", away / "status.json"]
    timed(figures, "the window for 20 s", programs / "ius-viewer", *demo, cwd=away)
    figures.check("it shows pictures", holds=json.loads((away / "status.json").read_text())["shown"] > 0)


def bundle(figures: Figures) -> None:
    """Start it from a read-only folder with a space and an umlaut."""
    if not BUNDLE.is_dir():
        subprocess.run([ROOT / "packaging" / "bundle"], check=True)
    record = ROOT / "build" / "demo.mcap"
    if not record.is_file():
        subprocess.run([sys.executable, ROOT / "packaging" / "record.py", record], check=True)
    began = monotonic()
    test = ["env", f"RECORD={record}", ROOT / "packaging" / "bundle-test", BUNDLE]
    done = subprocess.run(test, capture_output=True, text=True, check=False)
    sys.stderr.write(done.stdout + done.stderr if done.returncode else "")
    figures.add("start test of the bundle", monotonic() - began, "s")
    figures.check("the bundle starts", holds=done.returncode == 0)
    figures.add("bundle", megabytes(BUNDLE), "MB", most=320)


def main() -> int:
    """Try both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-bundle", action="store_true", help="the wheel alone")
    arguments = parser.parse_args()
    figures = Figures("packages", f"Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder:
        wheel(figures, Path(folder))
    if not arguments.no_bundle:
        bundle(figures)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
