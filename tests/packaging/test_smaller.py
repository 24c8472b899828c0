"""The smaller libraries of the bundle do what the wheels' own do."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import PySide6
import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("smaller", ROOT / "packaging/smaller.py")
assert spec is not None
assert spec.loader is not None
smaller = importlib.util.module_from_spec(spec)
spec.loader.exec_module(smaller)

ICU = Path(PySide6.__file__).parent / "Qt/lib"
BLAS = Path(cv2.__file__).parents[1] / "opencv_python_headless.libs"
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not all(map(shutil.which, ("gcc", "nm", "readelf"))), reason="made with gcc, on Linux"
)

ASKED_OF_QT = """
from PySide6.QtCore import QCollator, QDateTime, QLocale, QStringConverter, QTimeZone
words = ["file10", "file2", "Ärger", "Arger", "zebra", "å", "öl", "straße", "Strasse", "中", "日"]
for name in ("de_DE", "sv_SE", "zh_CN"):
    order = QCollator(QLocale(name))
    order.setNumericMode(True)
    print(sorted(words, key=order.sortKey), QLocale(name).toUpper("iß"))
print(QLocale("tr_TR").toUpper("iı"), sorted(QStringConverter.availableCodecs()))
berlin = QTimeZone(b"Europe/Berlin")
for name in ("de_DE", "ja_JP", "en_US"):
    summer = QDateTime.fromSecsSinceEpoch(2**30)
    print(berlin.displayName(summer, QTimeZone.LongName, QLocale(name)))
"""
ASKED_OF_OPENCV = """
import cv2, numpy as np
rng = np.random.default_rng(0)
for kind, most in (("f4", 2e-3), ("f8", 1e-9)):
    a, b = rng.random((2, 150, 150)).astype(kind)
    assert np.abs(cv2.gemm(a, b, 1, None, 0) - a @ b).max() < most
    for flag in (cv2.DECOMP_LU, cv2.DECOMP_QR, cv2.DECOMP_SVD):
        assert np.abs(a @ cv2.solve(a, b, flags=flag)[1] - b).max() < most
    spd = a @ a.T + 150 * np.eye(150, dtype=kind)
    assert np.abs(spd @ cv2.solve(spd, b, flags=cv2.DECOMP_CHOLESKY)[1] - b).max() < most
    w, u, v = cv2.SVDecomp(a)
    assert np.abs(u * w.T @ v - a).max() < most
print([line.split()[-1] for line in open("/proc/self/maps") if "openblasp" in line][0])
"""


def said(code, preload=""):
    """What a Python says that loads `preload` in place of the library of that name."""
    told = os.environ | {"LD_PRELOAD": str(preload), "LD_LIBRARY_PATH": str(BLAS), "LC_ALL": "C.UTF-8"}
    return subprocess.run([sys.executable, "-c", code], env=told, check=True, capture_output=True, text=True).stdout


def test_qt_sorts_spells_decodes_and_names_times_as_with_all_of_icu(tmp_path):
    (source,) = ICU.glob("libicudata.so.*")
    made = smaller.icu(source, tmp_path / source.name)
    assert made.stat().st_size < 0.6 * source.stat().st_size
    assert said(ASKED_OF_QT, made) == said(ASKED_OF_QT)
    with pytest.raises(SystemExit, match="nothing of what is left out"):
        smaller.icu(made, tmp_path / "twice")


@pytest.mark.skipif(not [*Path("/usr/lib").glob(f"*-linux-gnu/{smaller.LAPACK[0]}")], reason="made from liblapack-dev")
def test_opencv_multiplies_solves_and_decomposes_with_the_reference_lapack(tmp_path):
    (source,) = BLAS.glob("libopenblasp*")
    made = smaller.lapack(source, tmp_path / source.name, Path(cv2.__file__).parent / "cv2.abi3.so")
    assert made.stat().st_size < 2e6
    assert said(ASKED_OF_OPENCV, made).strip() == str(made)
