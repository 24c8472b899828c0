"""The smaller libraries of the bundle do what the wheels' own do."""

import ctypes
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import highdicom
import numpy as np
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
from PySide6.QtCore import QCollator, QDateTime, QLocale, QTimeZone
words = ["file10", "file2", "Ärger", "Arger", "zebra", "å", "öl", "straße", "Strasse", "中", "日"]
for name in ("de_DE", "sv_SE", "zh_CN"):
    order = QCollator(QLocale(name))
    order.setNumericMode(True)
    print(sorted(words, key=order.sortKey), QLocale(name).toUpper("iß"))
print(QLocale("tr_TR").toUpper("iı"))
summer = QDateTime.fromSecsSinceEpoch(2**30, QTimeZone(b"Europe/Berlin"))
for name in ("de_DE", "ja_JP", "en_US"):
    print(QLocale(name).toString(summer, "dddd, d MMMM yyyy hh:mm"), summer.offsetFromUtc())
"""
ASKED_OF_NUMPY = """
import numpy as np
rng = np.random.default_rng(0)
for kind in ("f4", "f8"):
    a = rng.random((60, 60)).astype(kind) * 1e-3
    spd = a @ a.T + np.eye(60, dtype=kind)
    for got in (*np.linalg.svd(a), *np.linalg.eig(a), *np.linalg.eigh(spd), *np.linalg.qr(a), np.linalg.inv(a),
                np.linalg.cholesky(spd), np.linalg.lstsq(a, a, rcond=None)[0]):
        print(got.tobytes().hex()[:4000])
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
    told["OPENBLAS_NUM_THREADS"] = "1"
    return subprocess.run([sys.executable, "-c", code], env=told, check=True, capture_output=True, text=True).stdout


def test_qt_sorts_spells_and_writes_times_as_with_all_of_icu(tmp_path):
    (source,) = ICU.glob("libicudata.so.*")
    made = smaller.icu(source, tmp_path / source.name)
    assert made.stat().st_size < 0.25 * source.stat().st_size
    assert said(ASKED_OF_QT, made) == said(ASKED_OF_QT)
    with pytest.raises(SystemExit, match="nothing of what is left out"):
        smaller.icu(made, tmp_path / "twice")


@pytest.mark.skipif(not [*Path("/usr/lib").glob(f"*-linux-gnu/{smaller.LAPACK[0]}")], reason="made from liblapack-dev")
def test_opencv_multiplies_solves_and_decomposes_with_the_reference_lapack(tmp_path):
    (source,) = BLAS.glob("libopenblasp*")
    made = smaller.lapack(source, tmp_path / source.name, Path(cv2.__file__).parent / "cv2.abi3.so")
    assert made.stat().st_size < 2e6
    assert said(ASKED_OF_OPENCV, made).strip() == str(made)


def test_numpy_computes_the_same_bits_without_fortran_s_library(tmp_path):
    folder = Path(np.__file__).parents[1] / "numpy.libs"
    (source,), (caller,) = folder.glob("libgfortran-*"), folder.glob("libscipy_openblas*")
    made = smaller.fortran(source, tmp_path / source.name, caller)
    assert made.stat().st_size < 50_000
    assert said(ASKED_OF_NUMPY, made) == said(ASKED_OF_NUMPY)
    ours, theirs = ctypes.CDLL(str(made)), ctypes.CDLL(str(source))
    for base, exponent in ((2.5, 7), (-1.1, 62), (0.3, -5), (7.0, 0), (10.0, -300), (1.0, -(2**63))):
        powers = []
        for library in (ours, theirs):
            power = library._gfortran_pow_r8_i8
            power.argtypes, power.restype = (ctypes.c_double, ctypes.c_int64), ctypes.c_double
            powers.append(power(base, exponent))
        assert powers[0] == powers[1]


def test_a_codec_that_is_left_out_refuses_and_what_is_decoded_without_it_still_is(tmp_path):
    """An AVIF picture is refused, not a crash; a video in VP9 is decoded by FFmpeg itself."""
    picture, film = tmp_path / "picture.avif", tmp_path / "film.webm"
    assert cv2.imwrite(str(picture), np.full((64, 64, 3), 128, np.uint8))
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"VP80"), 10, (64, 64))
    for grey in range(0, 250, 50):
        writer.write(np.full((64, 64, 3), grey, np.uint8))
    writer.release()
    asked = f"""
import cv2
film = cv2.VideoCapture({str(film)!r})
greys = [round(float(picture.mean()), -1) for _, picture in iter(film.read, (False, None))]
print(cv2.imread({str(picture)!r}) is None, greys)
"""
    told = {}
    for name, caller in (("libaom", "libavif"), ("libvpx", "libavcodec")):
        (source,), (needs) = BLAS.glob(f"{name}-*"), next(BLAS.glob(f"{caller}-*"))
        told[name] = smaller.refusing(source, tmp_path / source.name, needs)
        assert told[name].stat().st_size < 50_000
    assert said(asked).startswith("False [0.0, 50.0, 100.0")
    assert said(asked, ":".join(map(str, told.values()))) == said(asked).replace("False", "True")


def test_highdicom_s_table_of_what_is_written_is_a_part_of_its_own(tmp_path):
    source = Path(highdicom.__file__).parent / "_standard/module_attribute_map.json"
    few = json.loads(smaller.modules(source, tmp_path / source.name).read_text())
    whole = json.loads(source.read_text())
    assert few == {name: whole[name] for name in few}
    assert {"patient", "segmentation-multi-frame-functional-groups", "sr-document-content"} <= few.keys()
