"""What a model paints on real volumes: the share of the sector, per volume. Not how well: there is no truth here.

python tests/benchmarks/bench_real.py [FOLDER of .nii.gz] [--model FILE]
"""

import argparse
from pathlib import Path

from benchfile import keep

from inference.assets import demo_model_path
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import Tumour
from inference.sources import open_source

FOLDER = Path(__file__).resolve().parents[3] / "shared/data/resect/us"
LEAST_PX = 500
"""Slices that show less of the sector are left out of the fullest slice."""


def main() -> None:
    """Analyse every slice along k and print a line a volume."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--model", type=Path)
    given = parser.parse_args()
    segmenter = Segmenter(Engine.load(given.model or demo_model_path()))
    figures = {}
    for path in sorted(given.folder.glob("*.nii.gz")):
        source = open_source(str(path))
        painted = sector = found = 0
        fullest = 0.0
        for index in range(len(source)):
            frame = source.read(index)
            outcome = segmenter(frame)
            inside = frame.pixels > 0
            area = int((outcome.mask[inside] > 0).sum()) if isinstance(outcome, Tumour) else 0
            painted, sector = painted + area, sector + int(inside.sum())
            found += isinstance(outcome, Tumour)
            if inside.sum() > LEAST_PX:
                fullest = max(fullest, area / int(inside.sum()))
        share = painted / max(1, sector)
        figures[path.name] = {"slices": len(source), "with_contour": found, "painted": round(share, 4)}
        print(f"{path.name}: {found} of {len(source)} slices, {share:.1%} of the sector, fullest slice {fullest:.1%}")
    keep("real", figures, "what the model paints on real volumes; how well is not known here")


if __name__ == "__main__":
    main()
