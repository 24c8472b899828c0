"""Time and memory of cutting one full-size volume, 400×400×450 voxels, by `ius-train slice`.

python tests/benchmarks/bench_slice.py
"""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from benchfile import keep

from training.cli import main
from training.cohort.cases import Case, write_cases

SHAPE = (450, 400, 400)
SPACING = (0.2, 0.2, 0.2)


def write(folder: Path) -> Path:
    """A fan of speckle with a tumour of 15 cm³, as RESECT stores them; returns the case table."""
    k, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    inside = (np.abs(i - 200) < 20 + 0.42 * j) & (np.abs(k - 225) < 150)
    grey = np.random.default_rng(0).uniform(1, 160, SHAPE).astype(np.float32) * inside
    mask = ((k - 225) ** 2 + (j - 250) ** 2 + (i - 200) ** 2 < 76**2).astype(np.uint8)
    for pixels, name in ((grey, "us.nii.gz"), (mask, "mask.nii.gz")):
        image = sitk.GetImageFromArray(pixels)
        image.SetSpacing(SPACING)
        sitk.WriteImage(image, str(folder / name), useCompression=True)
    write_cases([Case("one", "P1", us=folder / "us.nii.gz", us_label=folder / "mask.nii.gz")], folder / "cases.csv")
    return folder / "cases.csv"


def run() -> None:
    """Cut it in a process of its own, so that making it does not count."""
    import multiprocessing

    with tempfile.TemporaryDirectory() as temporary:
        maker = multiprocessing.get_context("spawn").Process(target=write, args=(Path(temporary),))
        maker.start()
        maker.join()
        began = time.perf_counter()
        main(["slice", f"{temporary}/cases.csv", "--out", f"{temporary}/store"])
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    keep("slice", {"s": round(seconds, 1), "peak_gb": round(peak, 2)}, "one synthetic volume of 400×400×450 voxels")
    print(f"{'×'.join(map(str, SHAPE[::-1]))} voxels: {seconds:.0f} s, {peak:.2f} GB at most")


if __name__ == "__main__":
    run()
