"""A model file made ready for the window: its two modes, which never run at once."""

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
    """A model that loaded and passed its self-test here.

    Attributes:
        path: the file.
        contract: what it says of itself.
        sha256: its identity.
        provider: what it really runs on.
        fallbacks: why faster providers were not taken.
        self_test: the self-test's result in words.
        warm_up_ms: one pass through the network.
        analyse: Frame -> Outcome.
        analyse_without_scale: the same by the user's choice where nobody knows the scale.
        want_band: asks for the uncertainty band with every answer, or no longer.
        thorough: the mean over every mirrored pass, with or without scale; None where the model has one mode. May be
            called from another thread than `analyse`: the two wait for each other.
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
    thorough: Callable[[Frame], Outcome] | None = None


def model_of(path: Path, placement: Placement = FIRST_CARD) -> Model:
    """Load, self-test and warm up.

    Args:
        path: the file.
        placement: the graphics card, and how much of its memory.

    Raises:
        ModelError: if the file is no model that works here.
    """
    from inference.model.engine import Engine  # onnxruntime, OpenCV and scipy: not before the window is there
    from inference.model.segmenter import Segmenter

    engine, turn = Engine.load(path, placement=placement), Turn()
    test = engine.self_test
    segmenter, without_scale = Segmenter(engine), Segmenter(engine, without_scale=True)
    # Asked only for frames that were analysed: a scale that nobody knows was then no hindrance.
    thorough = Segmenter(engine, without_scale=True, mode=Mode.THOROUGH)

    def want_band(wanted: bool) -> None:
        segmenter.band = without_scale.band = thorough.band = wanted

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
        thorough=in_turn(thorough, turn) if engine.contract.output.mirror_axes else None,
    )


class Turn:
    """One analysis at a time, since an engine is not for two threads at once; whoever waits is next."""

    def __init__(self) -> None:
        self._door, self._room = Lock(), Lock()

    def __enter__(self) -> None:
        """Wait; who waits at the door already goes in before whoever comes out and wants in again."""
        with self._door:
            self._room.acquire()

    def __exit__(self, *_: object) -> None:
        """Let the next one in."""
        self._room.release()


def in_turn(analyse: Callable[[Frame], Outcome], turn: Turn) -> Callable[[Frame], Outcome]:
    """The same analysis, while no other one has the turn."""

    def waiting(frame: Frame) -> Outcome:
        with turn:
            return analyse(frame)

    return waiting
