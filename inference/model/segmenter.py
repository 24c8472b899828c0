"""Turns a frame into an outcome: network, mask, regions, reading."""

from time import perf_counter

from inference.contract import Mode
from inference.errors import AnalysisError
from inference.frame import Frame
from inference.model.engine import Engine
from inference.model.quality import predicted_quality
from inference.model.segmentation import band_of, cavity_of, mask_of, regions_of
from inference.outcome import Analysis, Failed, NothingFound, Outcome, Tumour, UnknownSpacing


class Segmenter:
    """Analyses one frame after another with one model.

    Args:
        engine: the loaded, self-tested model.
        without_scale: whether the user chose to analyse frames of unknown scale, in pixels, unvalidated.
        mode: fast for a live picture, thorough for a frozen one.

    Attributes:
        band: whether to compute the uncertainty band too, from the next frame on; may be set from another thread.
    """

    def __init__(self, engine: Engine, *, without_scale: bool = False, mode: Mode = Mode.FAST) -> None:
        self.engine = engine
        self.without_scale = without_scale
        self.mode = mode
        self.band = False

    def __call__(self, frame: Frame) -> Outcome:
        """Analyse one frame. A frame that cannot be analysed is an outcome, not an exception."""
        if frame.spacing is None and not self.without_scale:
            reason = frame.no_spacing_reason or "The source does not say how large a pixel is."
            return UnknownSpacing(frame, reason)
        try:
            return self._analyse(frame)
        except AnalysisError as error:
            return Failed(frame, str(error))

    def _analyse(self, frame: Frame) -> Outcome:
        started = perf_counter()
        spacing = frame.spacing
        contract = self.engine.contract
        segmented = self.engine.segment(
            frame.pixels, None if spacing is None else (spacing.row_mm, spacing.col_mm), self.mode
        )
        mask = mask_of(segmented.margin, keep_largest=contract.output.keep_largest)
        regions = regions_of(mask, segmented.margin, frame, contract.reliability)
        certainty = contract.certainty_in(self.mode)
        quality = None
        if regions and certainty is not None:
            quality = predicted_quality(segmented.margin.coarse, certainty, contract.output.threshold)
        band = None
        if regions and self.band:
            temperature = 1.0 if certainty is None else certainty.calibration.temperature
            band = band_of(segmented.margin.odds, contract.output.threshold, temperature)
        cavity = None if contract.output.cavity_index is None else cavity_of(segmented.margin, frame)
        analysis = Analysis(
            model=contract.identity.name,
            model_sha256=self.engine.sha256,
            provider=self.engine.provider,
            latency_ms=(perf_counter() - started) * 1e3,
            network_ms=segmented.network_ms,
            demonstration=contract.population.simulated and not frame.origin.simulated,
            mode=self.mode,
        )
        if not regions:
            return NothingFound(frame, analysis, segmented.disagreement, cavity)
        return Tumour(frame, analysis, mask, regions, band, segmented.disagreement, quality, cavity)
