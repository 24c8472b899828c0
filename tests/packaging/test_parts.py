"""The bundle's list of parts: no library without a name, no part without its licence's text, no GPL."""

import importlib.util
import shutil
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("parts", ROOT / "packaging/parts.py")
assert spec is not None
assert spec.loader is not None
parts = sys.modules["parts"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parts)
licence_texts = parts.licence_texts
ROWS = tomllib.loads((ROOT / "packaging/shared_libraries.toml").read_text())["library"]


@pytest.mark.parametrize(
    ("words", "gpl"),
    [
        ("GPL-3.0-only", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("GPL-2.0-or-later", True),
        ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", False),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("GPLv2-or-later with a special exception which allows to use PyInstaller to build non-free programs", False),
        ("MIT", False),
    ],
)
def test_the_gpl_is_told_from_what_may_stay(words, gpl):
    assert parts.is_gpl(words) is gpl


def test_a_library_that_nobody_named_stops_the_build(tmp_path, capsys):
    (tmp_path / "libreadline.so.8").touch()
    assert parts.main(tmp_path) == 1
    assert "libreadline.so.8" in capsys.readouterr().err


def test_every_library_of_the_wheels_that_are_shipped_has_a_name():
    """A new version of a wheel that brings a further library fails here, not on the day of the release."""
    wheels = ("numpy", "opencv-python-headless", "pillow", "python-gdcm")
    files = [Path(str(file.locate())) for wheel in wheels for file in metadata.files(wheel) or []]
    named = [file for file in files if parts.LIBRARY.match(file.name) and file.parent.name.endswith(".libs")]
    assert len(named) > 20
    assert [file.name for file in named if parts.owner(file, ROWS) is None] == []


def test_an_end_of_life_library_is_called_so():
    (openssl,) = parts.shared([Path("libcrypto-5409cd36.so.1.1.1k"), Path("libssl-81259c47.so.1.1.1k")], ROWS)
    assert "End of life" in openssl.notes["note"]


def test_every_package_of_the_product_has_its_licence_s_text(tmp_path):
    """Also those whose wheels bring none: mcap, pyjpegls, PySide6."""
    named = {*tomllib.loads((ROOT / "packaging/soup.toml").read_text()), "pyjpegls", "pillow", "shiboken6", "crcmod"}
    plain = {name.lower().replace("_", "-") for name in named}
    packages = [one for one in metadata.distributions() if one.metadata["Name"].lower().replace("_", "-") in plain]
    assert len(packages) > 20
    assert [one.metadata["Name"] for one in packages if not licence_texts.of_package(one, tmp_path)] == []
    (qt,) = tmp_path.glob("PySide6_Essentials-*")
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in (qt / "LGPL-3.0.txt").read_text()
    (opencv,) = tmp_path.glob("opencv-python-headless-*")
    assert "Version 2.1, February 1999" in (opencv / "LGPL-2.1.txt").read_text()
    (numpy,) = tmp_path.glob("numpy-*")
    whole = (numpy / "licenses/LICENSE.txt").read_text()
    assert "NumPy Developers" in whole
    assert "GCC RUNTIME LIBRARY EXCEPTION" in whole


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="asks Debian")
def test_a_system_s_library_brings_its_package_s_text_and_one_of_nobody_is_named(tmp_path):
    libraries = [Path("libz.so.1"), Path("libnobody.so.1")]
    assert licence_texts.copy([], libraries, [{"debian": "no-such-package"}], tmp_path) == [
        "libnobody.so.1",
        "no-such-package",
    ]
    assert "Mark Adler" in (tmp_path / "system/zlib1g.txt").read_text()
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in (tmp_path / "Python/LICENSE.txt").read_text()


def test_parts_are_the_packages_whose_modules_are_there_and_no_module_is_of_nobody():
    builder = {"pyi_rth_pyside6", "pyiboot01_bootstrap", "pyimod02_importers", "_pyi_rth_utils"}
    packages, strays = parts.makers({"cv2", "json", "viewer", "pyigtl", "PySide6", "smuggled"} | builder)
    named = {one.metadata["Name"] for one in packages}
    assert named == {"ius", "opencv-python-headless", "pyigtl", "PySide6_Essentials"}
    assert strays == ["smuggled"]


def test_what_takes_the_place_of_openblas_is_not_called_so(tmp_path):
    its_own, instead = tmp_path / "its own", tmp_path / "instead"
    for folder, content in ((its_own, b"OpenBLAS 0.3.15"), (instead, b"dgesv_")):
        folder.mkdir()
        (folder / "libopenblasp-r0-59ffcd50.3.15.so").write_bytes(content)
    files = [next(folder.iterdir()) for folder in (its_own, instead)]
    assert [parts.owner(file, ROWS)["name"] for file in files] == ["OpenBLAS", "Reference BLAS and LAPACK"]
