"""A disk that is full, without one: the command line where no file may grow beyond a size."""

import os
import subprocess
import sys
from pathlib import Path

_LIMITED = """
import resource, signal, sys
from training.cli import main
if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
    sys.exit(main(sys.argv[2:]))
"""


def train_on_a_full_disk(most_bytes: int, *words: object) -> subprocess.CompletedProcess[str]:
    """`ius-train WORDS` in a process of its own, whose files may hold so many bytes."""
    command = [sys.executable, "-c", _LIMITED, str(most_bytes), *map(str, words)]
    root = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, env=root, capture_output=True, text=True, timeout=400, check=False)
