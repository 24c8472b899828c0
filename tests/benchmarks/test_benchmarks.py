"""The benchmarks take hours, but what they import and how they are called must not rot meanwhile."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOAK = HERE.parent / "soak"
SCRIPTS = [*sorted(HERE.glob("bench_*.py")), *sorted(SOAK.glob("soak_*.py"))]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_it_loads_and_has_a_way_in(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(HERE), str(SOAK), *sys.path])
    spec = spec_from_file_location(f"loaded_{script.stem}", script)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    assert callable(module.main)


@pytest.mark.parametrize("script", ["bench_engine", "bench_gpu"])
def test_what_runs_on_a_server_needs_no_qt(script: str) -> None:
    without = "import sys; sys.modules.update(PySide6=None, pyqtgraph=None)"
    run = [sys.executable, "-c", f"{without}; sys.path[:0] = [{str(HERE)!r}, {str(SOAK)!r}]; import {script}"]
    subprocess.run(run, check=True, cwd=HERE.parents[1], capture_output=True)
