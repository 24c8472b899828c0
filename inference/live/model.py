"""A model file loaded for the window, with its two modes, which never run at the same time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from inference.contract import Mode, ModelContract
from inference.frame import Frame
from inference.model.placement import FIRST_CARD, Placement
from inference.outcome import Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model that was loaded and passed its self-test on this computer.

    Attributes:
        path: the file.
        contract: the contract in the file.
        sha256: the file's sha256, which identifies the model.
        provider: the provider it really runs on.
        fallbacks: why faster providers were not used.
        self_test: the self-test's result in words.
        warm_up_ms: duration of one pass through the network.
        analyse: Frame -> Outcome.
        analyse_without_scale: the same for frames of unknown scale, if the user chose that.
        want_band: switches the uncertainty band of every answer on or off.
        tell_start: takes what is called, in the analysing thread, each time that the network starts.
        thorough: the mean over all mirrored passes, with or without scale; None if the model has only one mode. May be
            called from another thread than `analyse`: the two wait for each other.
        card: the graphics card it was loaded on, its name and number; empty on the processor.
    """

    path: Path
    contract: ModelContract
    sha256: str
    provider: str
    fallbacks: tuple[str, ...]
    self_test: str
    warm_up_ms: float
    analyse: Callable[[Frame], Outcome]
    analyse_without_scale: Callable[[Frame], Outcome]
    want_band: Callable[[bool], None]
    tell_start: Callable[[Callable[[], None]], None]
    thorough: Callable[[Frame], Outcome] | None = None
    card: str = ""


def model_of(path: Path, placement: Placement = FIRST_CARD) -> Model:
    """Load a model, run its self-test and warm it up.

    Args:
        path: the file.
        placement: the graphics card, and how much of its memory.

    Raises:
        ModelError: if the file is not a model that works on this computer.
    """
    from inference.model.engine import Engine  # loads onnxruntime and OpenCV: only once the window is open
    from inference.model.segmenter import Segmenter

    engine, turn = Engine.load(path, placement=placement), Turn()
    test = engine.self_test
    segmenter, without_scale = Segmenter(engine), Segmenter(engine, without_scale=True)
    # Called only for frames that were already analysed, so an unknown scale did not stop their analysis.
    thorough = Segmenter(engine, without_scale=True, mode=Mode.THOROUGH)

    def want_band(wanted: bool) -> None:
        segmenter.band = without_scale.band = thorough.band = wanted

    def tell_start(told: Callable[[], None]) -> None:
        engine.starts = told

    return Model(
        path=engine.path,
        contract=engine.contract,
        sha256=engine.sha256,
        provider=engine.provider,
        fallbacks=engine.fallbacks,
        self_test=f"passed: {test.cases} cases, {test.mismatched_per_million:.0f} of a million pixels differ",
        warm_up_ms=engine.warm_up_ms,
        analyse=in_turn(segmenter, turn),
        analyse_without_scale=in_turn(without_scale, turn),
        want_band=want_band,
        tell_start=tell_start,
        thorough=in_turn(thorough, turn) if engine.contract.output.mirror_axes else None,
        card=engine.card,
    )


class Turn:
    """Lets one analysis run at a time, since an engine must not be used by two threads at once. Waiters go first."""

    def __init__(self) -> None:
        self._door, self._room = Lock(), Lock()

    def __enter__(self) -> None:
        """Wait for the turn. A thread that already waits comes before one that leaves and wants to come back."""
        with self._door:
            self._room.acquire()

    def __exit__(self, *_: object) -> None:
        """Pass the turn on."""
        self._room.release()


def in_turn(analyse: Callable[[Frame], Outcome], turn: Turn) -> Callable[[Frame], Outcome]:
    """The same analysis, run only while no other one has the turn."""

    def waiting(frame: Frame) -> Outcome:
        with turn:
            return analyse(frame)

    return waiting
