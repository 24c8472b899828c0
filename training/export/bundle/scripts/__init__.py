"""What MONAI runs of a bundle: these files are copied into it, with the part of the engine that they import."""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
if (_HERE / "inference").is_dir():  # in a bundle; in the repository it is found as always
    sys.path.insert(0, str(_HERE))
