"""`make bench-gpu DRY=1`: the script that a lent card is asked with runs from end to end on a computer without one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(900)  # nnU-Net, PyTorch and an export in a fresh process
def test_every_section_runs_without_a_card(tmp_path):
    command = [sys.executable, str(ROOT / "tests" / "benchmarks" / "bench_gpu.py"), "--dry", "--out", "found.json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads((tmp_path / "found.json").read_text())
    assert not [name for name in found if "FAILED" in name]
    assert found["product"]["self_test"]["passed"]
    alike = found["masks: ours on the card, nnU-Net's on the CPU"]
    assert alike["identical"] == alike["frames"] > 0
    assert alike["tumour_px"] > 0
    for way in ("float32, as shipped", "float32, norms fused", "float16", "PyTorch eager float32"):
        assert f"realtime: {way}" in found
    assert found["taken away: no card visible"].startswith("CPU |")
