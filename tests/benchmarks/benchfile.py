"""`bench.json` at the root: the figures of every benchmark, each with the machine they were measured on."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

PATH = Path(__file__).resolve().parents[2] / "bench.json"
sys.path.append(str(PATH.parent / "tests" / "training"))  # small networks that the tests build too
_ALWAYS = ("numpy", "onnxruntime-gpu", "opencv-python-headless", "PySide6-Essentials", "torch", "nnunetv2")
LIBRARIES = (*_ALWAYS, "openvino") if find_spec("openvino") else _ALWAYS


def keep(section: str, figures: Mapping[str, object], on: str) -> None:
    """Replace one section of bench.json and leave the others as they are.

    Args:
        section: name of the benchmark.
        figures: what was found.
        on: on what it was measured, and whether that is simulated.
    """
    kept = json.loads(PATH.read_text()) if PATH.exists() else {}
    kept[section] = {"measured": datetime.now(UTC).date().isoformat(), "machine": machine(), "on": on, **figures}
    aside = PATH.with_suffix(".json.part")
    aside.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
    aside.replace(PATH)


def heading(on: str) -> str:
    """What stands over a table: on what, and by which machine and versions."""
    facts = machine()
    return f"{on}\n{facts.pop('processor')}, {facts.pop('cores')} cores, " + ", ".join(
        f"{name} {value}" for name, value in facts.items()
    )


def machine() -> dict[str, object]:
    """Processor, cores, versions, and graphics card with its driver and clock; no name of the computer."""
    versions = {name: found for name in LIBRARIES if (found := _version(name))}
    facts = {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()}
    return facts | versions | ({"gpu": card} if (card := _card()) else {})


def _version(name: str) -> str:
    """Of a package; empty where it is not installed: the engine is measured without the window's, too."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _card() -> str:
    """Name, driver, memory and clock of the graphics cards; empty where there is none."""
    asked = "--query-gpu=name,driver_version,memory.total,clocks.sm,clocks.max.sm"
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    said = subprocess.run([program, asked, "--format=csv,noheader"], capture_output=True, text=True, check=False)
    return "; ".join(said.stdout.split("\n")).strip("; ") if said.returncode == 0 else ""


def _processor() -> str:
    """What the system calls its processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def quartiles(values: list[float]) -> dict[str, float]:
    """Median with quartiles."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {"q1": round(float(low), 3), "median": round(float(middle), 3), "q3": round(float(high), 3)}


def shown(values: list[float]) -> str:
    """The same as text."""
    found = quartiles(values)
    return f"{found['median']:8.2f} ({found['q1']:.2f} to {found['q3']:.2f})"
