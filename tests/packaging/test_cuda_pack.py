"""The wheels for a computer without internet: what is listed, and that nothing that was changed is installed."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def cuda_pack() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cuda_pack", ROOT / "packaging" / "cuda_pack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    return module


def test_the_list_has_every_wheel_with_its_size_and_the_sum(cuda_pack: ModuleType, tmp_path: Path) -> None:
    for name, size in (("a-1-py3-none-any.whl", 2_000_000), ("b%2Bcu-1-py3-none-any.whl", 1_500_000)):
        (tmp_path / name).write_bytes(bytes(size))
    wheels = [cuda_pack.wheel(path.as_uri().replace("%25", "%")) for path in sorted(tmp_path.iterdir())]
    assert cuda_pack.listed(wheels).splitlines() == [
        "     2.0 MB  a-1-py3-none-any.whl",
        "     1.5 MB  b+cu-1-py3-none-any.whl",
        "     3.5 MB  in 2 wheels",
    ]


def test_a_changed_wheel_is_not_installed_and_no_network_is_asked(cuda_pack: ModuleType, tmp_path: Path) -> None:
    wheel = tmp_path / "ius-0-py3-none-any.whl"
    wheel.write_bytes(b"as it was")
    cuda_pack.seal(tmp_path)
    checked = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    subprocess.run(checked, cwd=tmp_path, check=True, capture_output=True)
    wheel.write_bytes(b"changed")
    done = subprocess.run([tmp_path / "install.sh", tmp_path / "new"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert wheel.name in done.stdout
    assert not (tmp_path / "new").exists()
    assert "--no-index" in (tmp_path / "install.sh").read_text()
