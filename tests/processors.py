"""The tests of engine and precision on each instruction set that this processor has: `make processors`.

On each a network is trained, exported and run by other kernels, so that its weights, logits and borders differ. What a
test asserts has to hold on all of them. oneDNN (in torch and OpenVINO) and ATen have a switch each; ONNX Runtime has
none, and takes what the processor has.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FILES = (
    "inference/model/test_engine.py",
    "inference/model/test_openvino_session.py",
    "training/export/test_precision.py",
)
OPTIONS = ("-q", "--no-header", "--timeout=900")
"""Without AVX2 a training of seconds takes a minute on a machine that does nothing else."""
SETS = ("SSE41", "AVX", "AVX2", "AVX512_CORE", "AVX512_CORE_BF16")
"""As ONEDNN_MAX_CPU_ISA names them, ascending. All that a processor has, AMX too, is what `make test` runs on."""
ATEN = {"SSE41": "default", "AVX": "default", "AVX2": "avx2"}
"""As ATEN_CPU_CAPABILITY names them; on the others it takes the processor's own."""
ASK = "import sys; sys.path.insert(0, sys.argv[1]); from processor import instructions; print(instructions())"


def switched(name: str) -> dict[str, str]:
    """The environment in which libraries use no more than a set."""
    aten = {"ATEN_CPU_CAPABILITY": ATEN[name]} if name in ATEN else {}
    return os.environ | {"ONEDNN_MAX_CPU_ISA": name} | aten


def had() -> dict[str, str]:
    """The sets of this processor: what networks are really compiled to, and the lowest switch that makes them so."""
    found: dict[str, str] = {}
    for name in SETS:
        command = [sys.executable, "-c", ASK, str(HERE / "inference")]
        words = subprocess.run(command, env=switched(name), capture_output=True, check=True, text=True).stdout.strip()
        found.setdefault(words, name)
    return found


def others(sets: dict[str, str]) -> dict[str, str]:
    """The lowest and the middle one: with the highest, which `make test` runs on, what every landing is tried on."""
    names = list(sets)
    return {words: sets[words] for words in dict.fromkeys((names[0], names[len(names) // 2]))}


def main() -> int:
    """Run the tests on each set, or with `--others` on two that `make test` does not run on.

    Returns:
        0, or 1 if they fail on one.
    """
    failed = []
    for words, name in (others(had()) if "--others" in sys.argv else had()).items():
        sys.stdout.write(f"{name}: {words}\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", "pytest", *OPTIONS, *(str(HERE / file) for file in FILES)]
        if subprocess.run(command, env=switched(name), check=False).returncode:
            failed.append(name)
    if failed:
        sys.stderr.write(f"Failed on {', '.join(failed)}.\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
