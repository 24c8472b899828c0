"""Loads a model file, proves that it still gives its golden masks on this computer, and runs it.

Providers are tried in order (TensorRT, CUDA, OpenVINO for bfloat16 files, CPU). A provider is taken only if the session
really runs on it and reproduces the golden masks; otherwise the reason is kept and the next one is tried.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from inference.assets import demo_model_path
from inference.contract import Mode, ModelContract
from inference.errors import AnalysisError, ContractError, ModelError, SelfTestError, SourceError
from inference.frame import Pixels
from inference.model import golden, mirrors, nvidia
from inference.model.golden import GoldenCase
from inference.model.margin import Margin
from inference.model.onnx_external import keeps_elsewhere
from inference.model.onnx_metadata import metadata_in
from inference.model.onnxruntime_session import INPUT_ERRORS, RUN_ERRORS, TimedSession
from inference.model.placement import FIRST_CARD, Placement
from inference.model.preprocessing import prepare
from inference.model.providers import CPU, GPU, WORDS, Session, candidates, card_of, default_threads, first_line
from inference.model.segmentation import labels_of
from inference.model.session import open_session
from inference.model.trial import demand_harmless
from inference.patience import ANSWER_S, BYTES_PER_S, SILENT, bytes_answered, in_time

log = logging.getLogger(__name__)

LARGEST = 1 << 30
"""Largest model file, in bytes; nnU-Net's largest 2D network with five folds has half as many."""
LARGEST_LOGIT = 65504.0
"""The largest number of float16, in which nnU-Net keeps its logits: of larger ones rounding leaves no number."""
_OLDER_OUTPUT = "fold_variance"
"""Second output of older files of several folds, which is not asked for."""
_WARM_UP_SECONDS = 0.5
_WARM_UP_RUNS = 8


@dataclass(frozen=True, slots=True)
class SelfTestResult:
    """How the golden cases came out on this device.

    Attributes:
        passed: whether no more pixels differ than the contract allows, and none of the tissues by more than
            `golden.TISSUE_SHARE`.
        mismatched_per_million: mask pixels that differ, per million, over all cases.
        tissue_off: the greatest share of a golden tumour or cavity that differs.
        cases: number of golden cases.
    """

    passed: bool
    mismatched_per_million: float
    tissue_off: float
    cases: int

    @property
    def words(self) -> str:
        """How much differs."""
        everywhere, tissue = f"{self.mismatched_per_million:.0f} of a million", f"{self.tissue_off:.1%} of a tissue"
        return f"{everywhere} mask pixels differ, up to {tissue}"


@dataclass(frozen=True, slots=True, eq=False)
class Segmented:
    """The network's answer to one frame.

    Attributes:
        margin: how far each pixel of the frame is over the threshold, in logits; over 0 is tumour.
        network_ms: time in the network alone, all tiles and mirrors.
        disagreement: (rows, cols) float32, standard deviation of the tumour probability between mirrored passes and
            folds, interpolated from the network's spacing; None in fast mode, and for a single pass of a single fold.
    """

    margin: Margin
    network_ms: float
    disagreement: NDArray[np.float32] | None = None


class Engine:
    """A loaded, warmed-up and self-tested model. Not for use by two threads at once.

    Attributes:
        path: the model file.
        sha256: hash of that file, which is the model's identity.
        contract: what the model says about itself.
        provider: the name of what it really runs on.
        fallbacks: one sentence for each provider that was tried and not taken.
        self_test: the result of its golden cases.
        warm_up_ms: median time of one tile through the network.
        card: the graphics card it was loaded on, its name and number; empty on the processor.
        starts: called before each pass through the network, in the thread that runs it; must return at once.
    """

    def __init__(
        self, path: Path, sha256: str, session: Session, reopen: Callable[[str], Session | None] | None = None
    ) -> None:
        """Wrap an open session; use `load` to make an engine from a file.

        Args:
            path: the model file.
            sha256: hash of that file.
            session: opened from that file.
            reopen: opens the file again on the provider with this name; None if that fails.

        Raises:
            ContractError: if the file has no contract, or its graph contradicts the contract.
        """
        metadata = session.get_modelmeta().custom_metadata_map
        self.path, self.sha256 = path, sha256
        self.contract = ModelContract.from_metadata(metadata)
        self._cutoff = math.log(self.contract.output.threshold / (1 - self.contract.output.threshold))
        self.provider = WORDS[session.get_providers()[0]]
        self.fallbacks: tuple[str, ...] = ()
        self.card = ""
        # Not yet: a provider that fails while the model loads is not taken at all.
        self._reopen: Callable[[str], Session | None] | None = None
        self._ways_out: list[str] = []
        self.starts: Callable[[], None] = lambda: None
        self._session = session
        if not (session.get_inputs() and session.get_outputs()):
            raise ContractError("The model takes no picture or gives no answer: export it again.")
        self._input = session.get_inputs()[0].name
        logits = session.get_outputs()[0]
        self._output, self._folds = logits.name, logits.shape[0]
        self._check_shapes()
        self.warm_up_ms = self._warm_up()
        self._golden = golden.unpack(metadata, self.contract.self_test.golden_sha256)
        self.self_test = self._test(self._golden)
        if session.get_providers()[0] in GPU:
            self._reopen, self._ways_out = reopen, [session.get_providers()[0], CPU]

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        placement: Placement = FIRST_CARD,
        trial: bool = False,
    ) -> "Engine":
        """Load a model on the first provider that works and passes the self-test.

        Args:
            path: an .onnx file with a contract.
            threads: CPU threads of the network; None means `default_threads`.
            providers: names in `providers.WORDS`, tried in order; None tries all that file and computer allow.
            placement: the graphics card to use, and how much of its memory.
            trial: accept a model that segments nothing, as a trial run's may; only to score it, never to show it.

        Raises:
            ModelError: if the file is missing or is not an ONNX model.
            ContractError: if it carries no readable contract, or golden cases that prove nothing.
            SelfTestError: if no provider reproduces its golden masks.
        """
        data = _read(path)
        sha256 = hashlib.sha256(data).hexdigest()
        _try(path, data, sha256, threads or default_threads())
        failed_test = False
        fallbacks: list[str] = []

        def anew(provider: str) -> Session | None:
            again = _read(path)
            if hashlib.sha256(again).hexdigest() != sha256:
                return None  # the file was replaced: it is no longer the model that was chosen
            return open_session(path, provider, threads or default_threads(), fallbacks, again, placement)

        for provider in candidates(providers, _precision(data), fallbacks, placement):
            session = open_session(path, provider, threads or default_threads(), fallbacks, data, placement)
            if session is None:
                continue
            try:
                engine = cls(path, sha256, session, anew)
            except AnalysisError as error:
                fallbacks.append(f"{WORDS[provider]} failed on its first frame ({error}).")
                continue
            if not trial:
                golden.demand_tissue(engine._golden, cavity=engine.contract.output.cavity_index is not None)
            if engine.self_test.passed:
                trust(session)
                engine.fallbacks, engine.card = tuple(fallbacks), card_of(provider, placement, nvidia.driver())
                for sentence in fallbacks:
                    log.info("the model runs on %s: %s", engine.provider, sentence)
                return engine
            failed_test = True
            fallbacks.append(f"{WORDS[provider]} failed the self-test: {engine.self_test.words}.")
        raise _refusal(path.name, fallbacks, failed_test=failed_test)

    def run(self, tile: NDArray[np.float32]) -> NDArray[np.float32]:
        """One pass through the network.

        Args:
            tile: (1, 1, rows, cols) float32 of the contract's patch.

        Returns:
            Logits (folds, labels, rows, cols) float32: background, tumour and, if the contract has one, cavity, as each
            fold sees them.

        Raises:
            AnalysisError: if the network fails, or answers with something that is not a number.
        """
        self.starts()
        try:
            (logits,) = self._session.run([self._output], {self._input: tile})
        except RUN_ERRORS as error:
            if not isinstance(error, INPUT_ERRORS) and self._recovered(first_line(error)):
                return self.run(tile)
            raise AnalysisError(f"The network failed on {self.provider}: {first_line(error)}") from error
        planes = np.asarray(logits[:, self.contract.output.planes], np.float32)
        if not -LARGEST_LOGIT < planes.min() <= planes.max() < LARGEST_LOGIT:  # nor is this true of what is no number
            raise AnalysisError(f"The network's answer on {self.provider} is not a number: use another provider.")
        return planes

    def _recovered(self, failure: str) -> bool:
        """Reload the model after a graphics card has failed: once on the card, then on the CPU; False if neither works.

        After the computer slept or the driver was reset, every CUDA call fails until the model is loaded again.
        """
        # A failure during the reload's own self-test must not start another reload.
        reopen, self._reopen = self._reopen, None
        while reopen is not None and self._ways_out:
            provider, failed_on = self._ways_out.pop(0), self.provider
            if self._taken_over(reopen(provider), provider):
                how = "was loaded anew" if self.provider == failed_on else f"goes on on the {self.provider}"
                self.fallbacks += (f"{failed_on} failed while it ran ({failure}): the model {how}.",)
                log.warning(self.fallbacks[-1])
                self._reopen = reopen
                return True
        return False

    def _taken_over(self, session: Session | None, provider: str) -> bool:
        """Use another session from now on, if it reproduces the golden masks; else none of its answers is ever used."""
        if session is None:
            return False
        before = self._session, self.provider, self.self_test
        self._session, self.provider = session, WORDS[provider]
        try:
            self.self_test = self._test(self._golden)
            passed = self.self_test.passed
        except AnalysisError:
            passed = False
        if passed:
            trust(session)
        else:
            self._session, self.provider, self.self_test = before
        return passed

    def segment(self, pixels: Pixels, spacing_mm: tuple[float, float] | None, mode: Mode = Mode.FAST) -> Segmented:
        """Segment one frame: prepare the input, run the network, map the answer back to the frame.

        Args:
            pixels: (rows, cols), 0 outside the sector.
            spacing_mm: (row, col) in mm per pixel; None if the user chose to analyse without scale.
            mode: FAST is one pass, THOROUGH the mean over all mirrors that the contract allows.

        Raises:
            AnalysisError: if the frame or the network fails.
        """
        prepared = prepare(pixels, spacing_mm, self.contract.input)
        thorough = mode is Mode.THOROUGH
        ways = mirrors.ways(self.contract.output.mirror_axes) if thorough else (mirrors.UNTURNED,)
        seconds = 0.0
        tiles: list[list[NDArray[np.float32]]] = []
        for corner in prepared.corners:
            tile = prepared.tile(corner)
            start = time.perf_counter()
            tiles.append([mirrors.turned(self.run(mirrors.turned(tile, axes)), axes) for axes in ways])
            seconds += time.perf_counter() - start
        margin = Margin([mirrors.mean(passes) for passes in tiles], prepared, self._cutoff)
        if not thorough or len(ways) == self._folds == 1:
            return Segmented(margin, seconds * 1e3)
        each = [Margin([passes[way] for passes in tiles], prepared, self._cutoff).coarse for way in range(len(ways))]
        within = None
        if self._folds > 1:
            # The variance is no logit, but takes the same way back as one: as the tumour plane beside zeros.
            variances = [mirrors.between_folds(passes) for passes in tiles]
            within = np.maximum(Margin([np.stack([one * 0, one]) for one in variances], prepared).coarse, 0)
        return Segmented(margin, seconds * 1e3, margin.on_frame(mirrors.disagreement(each, within)))

    def _check_shapes(self) -> None:
        """Refuse a graph whose inputs and outputs are not those of its contract."""
        rows, cols = self.contract.input.patch
        if len(self._session.get_inputs()) != 1:
            raise ContractError("The model needs several inputs, but a picture is only one: export the model again.")
        outputs = self._session.get_outputs()
        shapes = [self._session.get_inputs()[0].shape, *(output.shape for output in outputs)]
        folds = 1 if self._folds == 1 else self.contract.output.folds  # older files hold the mean of their folds
        wanted = [[1, 1, rows, cols], [folds, len(self.contract.output.labels), rows, cols]]
        if [output.name for output in outputs[1:]] == [_OLDER_OUTPUT]:
            wanted.append([1, 1, rows, cols])
        if shapes != wanted:
            raise ContractError(f"The model's shapes {shapes} are not its contract's {wanted}: export the model again.")

    def _warm_up(self) -> float:
        """Median time of one pass in milliseconds, without the first."""
        tile = np.zeros((1, 1, *self.contract.input.patch), np.float32)
        self.run(tile)
        times: list[float] = []
        while len(times) < _WARM_UP_RUNS and sum(times) < _WARM_UP_SECONDS:
            start = time.perf_counter()
            self.run(tile)
            times.append(time.perf_counter() - start)
        return median(times) * 1e3

    def _test(self, cases: Sequence[GoldenCase]) -> SelfTestResult:
        """Run the golden cases exactly as frames are run."""
        wrong, total, off = 0, 0, 0.0
        for case in cases:
            margin = self.segment(case.pixels, case.spacing_mm).margin
            labels = labels_of(margin, keep_largest=False, cavity=self.contract.output.cavity_index is not None)
            wrong += int(np.count_nonzero(labels != case.mask))
            total += case.mask.size
            off = max(off, golden.tissue_off(case, labels))
        rate = wrong / total * 1e6
        passed = rate <= self.contract.self_test.mismatched_per_million and off <= golden.TISSUE_SHARE
        return SelfTestResult(passed, rate, off, len(cases))


def trust(session: Session) -> None:
    """Lift the time limit of a session that has reproduced the golden masks, or whose graph was made here."""
    if isinstance(session, TimedSession):
        session.left_s = None


def _try(path: Path, data: bytes, sha256: str, threads: int) -> None:
    """Refuse what fills the memory, never ends or crashes; the bundled model is a part of the program."""
    if path.resolve() != demo_model_path().resolve():
        demand_harmless(path, data, sha256, threads, faster=nvidia.has_card(nvidia.driver()))


def _refusal(name: str, reasons: Sequence[str], *, failed_test: bool) -> ModelError:
    """What to tell when no provider is left."""
    if failed_test:
        return SelfTestError(f"{name} does not reproduce its own masks here, so it is not used. {' '.join(reasons)}")
    return ModelError(f"{name} does not run on this computer: choose another model. {' '.join(reasons)}")


def _read(path: Path) -> bytes:
    """Read the file once, so that the bytes that are hashed are the bytes that run.

    Raises:
        ModelError: if it is not there or cannot be read, or refers to data outside itself.
    """
    try:
        size = bytes_answered(path)
        if size is None or path.is_dir():
            raise ModelError(f"There is no model at {path}: give the path of an .onnx file.")
        if size > LARGEST:
            raise ModelError(f"{path.name} is larger than any model for ultrasound: choose another file.")
        data = in_time(path.read_bytes, ANSWER_S + size / BYTES_PER_S, SILENT.format(path.name))
    except SourceError as error:
        raise ModelError(str(error)) from error
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read ({error.strerror}): check its rights.") from error
    if keeps_elsewhere(data):
        raise ModelError(
            f"{path.name} keeps weights or code in other files, which its hash does not cover: export it as one file."
        )
    return data


def _precision(data: bytes) -> str:
    """The precision in a file's contract; empty if it cannot be read, which opening the session explains better."""
    try:
        return ModelContract.from_metadata(metadata_in(data)).provenance.precision
    except ContractError:
        return ""
