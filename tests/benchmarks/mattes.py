"""SimpleITK's rigid registration by Mattes mutual information, as a tutorial would set it up: the usual alternative."""

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk  # noqa: N813

from training.registration.align import sector_centre
from training.registration.transforms import LPS, Matrix
from training.registration.volume import Volume, coarser, smoothed

SIDE_MM = 1.0


def _image(volume: Volume) -> sitk.Image:
    image = sitk.GetImageFromArray(volume.pixels)
    affine = LPS @ volume.affine
    image.SetSpacing(volume.spacing[::-1].tolist())
    image.SetDirection((affine[:3, :3] / volume.spacing)[:, ::-1].ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def mattes(us: Volume, mris: Sequence[Volume], start: Matrix) -> Matrix:
    """MRI to ultrasound, RAS mm: 1 mm, three levels, 32 bins, a fifth of the sector's voxels, gradient descent."""
    coarse, mask = coarser(us, SIDE_MM, us.pixels > 0)
    fixed, moving = _image(coarse), _image(smoothed(mris[0], SIDE_MM))
    inside = sitk.GetImageFromArray(mask.astype(np.uint8))
    inside.CopyInformation(fixed)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(inside)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.2, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2.0, 1.0, 0.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 200, 0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetNumberOfThreads(1)
    step = sitk.Euler3DTransform()
    step.SetCenter((LPS[:3, :3] @ sector_centre(us)).tolist())
    method.SetMovingInitialTransform(_affine(np.linalg.inv(start)))
    method.SetInitialTransform(step, inPlace=True)
    method.Execute(fixed, moving)
    return start @ np.linalg.inv(_matrix(step))


def _affine(matrix: Matrix) -> sitk.AffineTransform:
    lps = LPS @ matrix @ LPS
    out = sitk.AffineTransform(3)
    out.SetMatrix(lps[:3, :3].ravel().tolist())
    out.SetTranslation(lps[:3, 3].tolist())
    return out


def _matrix(transform: sitk.Transform) -> Matrix:
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    lps = np.eye(4)
    lps[:3, 3] = origin
    lps[:3, :3] = np.stack([np.array(transform.TransformPoint(axis)) - origin for axis in np.eye(3).tolist()], axis=1)
    return LPS @ lps @ LPS
