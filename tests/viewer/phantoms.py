"""Phantoms that pass for something else: the picture of a patient, slices of a volume, a source that hangs."""

import threading
from dataclasses import replace

from inference.frame import Frame, Origin, View
from inference.source_info import SourceInfo
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance


class Clinical(PhantomSource):
    """A phantom that passes for a picture of a patient."""

    @property
    def info(self) -> SourceInfo:
        info = super().info
        return replace(info, origin=replace(info.origin, simulated=False, name="case-07.dcm"))

    def read(self, index: int) -> Frame:
        return replace(super().read(index), origin=self.info.origin)


class Volume(PhantomSource):
    """Slices of a volume, with letters and anisotropic spacing."""

    @property
    def info(self) -> SourceInfo:
        info = super().info
        origin = Origin("Case15-US-before-0p5mm.nii.gz", View.SLICE, simulated=False)
        spacing = PixelSpacing(0.15, 0.22, Provenance.HEADER)
        return replace(info, origin=origin, spacing=spacing, fps=None, edge_letters=("S", "I", "R", "L"))

    def read(self, index: int) -> Frame:
        info = self.info
        return replace(super().read(index), origin=info.origin, spacing=info.spacing, time_s=None)


class Stuck(PhantomSource):
    """One frame does not come until it is released."""

    def __init__(self, at: int, **options: object) -> None:
        super().__init__(count=60, **options)  # type: ignore[arg-type]
        self._at = at
        self.release = threading.Event()

    def read(self, index: int) -> Frame:
        if index == self._at:
            self.release.wait(10)
        return super().read(index)


STREAM = "simulated:?disturb=lifted&at=3600"
"""A live source that needs no sender: nothing goes wrong for an hour."""
