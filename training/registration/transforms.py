"""Rigid and affine transforms from MRI world to ultrasound world, RAS mm, as 4×4 matrices and as files.

ITK's files hold the other direction in other axes: from the fixed image (ultrasound) to the moving one (MRI), LPS mm.
"""

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from inference.errors import FormatError, NotFoundError
from training.io.files import written_aside

ITK_SUFFIXES = (".tfm", ".h5", ".hdf5", ".mat")
_IMFUSION = ".iws"
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Turns RAS coordinates into LPS ones and back."""
_ITK_HEADER = "#Insight Transform File"
_LAST_ROW = (0.0, 0.0, 0.0, 1.0)

Matrix = NDArray[np.float64]


def apply(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 3), transformed."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def rigid(parameters: NDArray[np.float64], centre: NDArray[np.float64]) -> Matrix:
    """Rotation about `centre` and then translation.

    Args:
        parameters: translation x, y, z in mm and the rotation vector x, y, z in radians.
        centre: the point that the rotation leaves where it is, mm.
    """
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(parameters[3:]).as_matrix()
    matrix[:3, 3] = centre + parameters[:3] - matrix[:3, :3] @ centre
    return matrix


def angle_deg(matrix: Matrix) -> float:
    """Angle of the rotation nearest to the matrix, degrees."""
    left, _, right = np.linalg.svd(matrix[:3, :3])
    return float(np.degrees(Rotation.from_matrix(left @ right).magnitude()))


def read_transform(path: Path) -> Matrix:
    """Read a linear transform as MRI to ultrasound, RAS mm.

    A text of four rows of four numbers is taken as it is; ITK's files (.tfm, .h5, .mat, .txt with ITK's first line) are
    from ultrasound to MRI in LPS mm, and are inverted and converted.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is neither, not linear, has no inverse, or mirrors.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no transform at {path}.")
    if path.suffix.lower() == _IMFUSION:
        raise FormatError(
            f"{path} is an ImFusion workspace, whose matrices do not say from which volume to which they go: write the "
            "4×4 matrix from MRI to ultrasound, RAS mm, into a text file."
        )
    matrix = _read_itk(path) if _is_itk(path) else _read_text(path)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-6:
        raise FormatError(f"The transform in {path} has no inverse: export it again.")
    if np.linalg.det(matrix) < 0:
        raise FormatError(
            f"The transform in {path} mirrors, and nobody's left is their right: were two axes exchanged, or RAS and "
            "LPS mixed? Export it again."
        )
    return matrix


def write_transform(matrix: Matrix, stem: Path) -> tuple[Path, Path]:
    """Write STEM.txt (4×4, MRI to ultrasound, RAS mm) and STEM.tfm (ITK: ultrasound to MRI, LPS mm).

    Returns:
        The two paths.
    """
    text, itk = stem.with_name(f"{stem.name}.txt"), stem.with_name(f"{stem.name}.tfm")
    with written_aside(text) as aside:
        aside.write_text(
            "\n".join(" ".join(f"{value:.17g}" for value in row) for row in matrix) + "\n", encoding="utf-8"
        )
    with written_aside(itk) as aside:
        sitk.WriteTransform(as_itk(matrix), str(aside))
    return text, itk


def as_itk(matrix: Matrix) -> sitk.AffineTransform:
    """The transform as ITK resamples with it: ultrasound to MRI, LPS mm."""
    inverse = LPS @ np.linalg.inv(matrix) @ LPS
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(inverse[:3, :3].ravel().tolist())
    transform.SetTranslation(inverse[:3, 3].tolist())
    return transform


def _is_itk(path: Path) -> bool:
    """Whether ITK wrote it: by its suffix, or by its first line, as .txt is used for both."""
    if path.suffix.lower() in ITK_SUFFIXES:
        return True
    with path.open("rb") as stream:
        return stream.read(len(_ITK_HEADER)) == _ITK_HEADER.encode()


def read_itk(path: Path) -> sitk.Transform:
    """ITK's own transform in 3D, from ultrasound to MRI in LPS mm.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it cannot be read as one.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no transform at {path}.")
    try:
        transform = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        raise FormatError(f"{path} cannot be read as an ITK transform.") from error
    if transform.GetDimension() != 3:
        raise FormatError(f"{path} does not hold a rigid or affine transform in 3D, nor any other in 3D.")
    return transform


def _read_itk(path: Path) -> Matrix:
    """ITK's transform, asked where it takes the origin and the unit vectors."""
    transform = read_itk(path)
    if not transform.IsLinear():
        raise FormatError(f"{path} does not hold a rigid or affine transform in 3D: only those can be used here.")
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    inverse = np.eye(4)
    inverse[:3, 3] = origin
    for axis in range(3):
        inverse[:3, axis] = np.array(transform.TransformPoint(np.eye(3)[axis].tolist())) - origin
    if abs(np.linalg.det(inverse)) < 1e-6:
        raise FormatError(f"The transform in {path} has no inverse: export it again.")
    return np.asarray(np.linalg.inv(LPS @ inverse @ LPS), np.float64)


def _read_text(path: Path) -> Matrix:
    """Four rows of four numbers; commas, brackets and lines that begin with # do not matter."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
        values = [float(word) for word in " ".join(lines).translate(str.maketrans(",;[]", "    ")).split()]
    except ValueError as error:
        raise FormatError(f"{path} is not a 4×4 matrix: write four rows of four numbers, MRI to ultrasound.") from error
    if len(values) != 16 or not np.allclose(values[12:], _LAST_ROW):
        raise FormatError(f"{path} is not a 4×4 matrix: write four rows of four numbers, MRI to ultrasound.")
    return np.array(values, np.float64).reshape(4, 4)
