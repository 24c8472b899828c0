"""A second, thorough analysis of a still frame: in the background, one at a time, and only of that frame."""

import threading
from dataclasses import dataclass
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from inference.contract import Mode, ModelContract
from inference.frame import Frame
from inference.latest import Latest
from inference.live.model import Model
from inference.live.policy import marked_if_unlike
from inference.outcome import Failed, NothingFound, Outcome, Tumour

STANDS_AFTER_S = 0.25
"""A frame shown for less than this is only being scrubbed over, and is not analysed thoroughly."""
ONE_MODE = "one mode: this model has no mirrored passes"
FAST = "fast: one pass; thorough analysis under way"
GAVE_NONE = "fast: one pass; the thorough analysis failed"
NOT_YET = "Model disagreement comes with the thorough answer: freeze or pause, and wait for it."


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A frame, and the model that gave its fast answer."""

    frame: Frame
    model: Model

    def of(self, other: "_Job") -> bool:
        """Whether both ask for the same frame and model."""
        return self.frame is other.frame and self.model is other.model


class ThoroughAnalysis:
    """Follows the still frame on the screen, in the window's thread; analyses it in its own thread.

    The model runs one analysis at a time: behind a frozen view, the live one waits for one thorough analysis.
    """

    def __init__(self) -> None:
        self._jobs: Latest[_Job] = Latest()
        self._done: Latest[tuple[_Job, Outcome]] = Latest()
        self._thread: threading.Thread | None = None
        self._standing: Outcome | None = None
        self._since = 0.0
        self._asked: _Job | None = None
        self._failed: Frame | None = None

    def follow(self, standing: Outcome | None, model: Model | None) -> Outcome | None:
        """The thorough answer to the still frame; None until it is ready, or if there will be none.

        Args:
            standing: the outcome of the still frame; None while anything moves, which also drops a pending answer.
            model: the loaded model.
        """
        now = monotonic()
        if standing is not self._standing:
            self._standing, self._since = standing, now
        wanted = _wanted(standing, model)
        if wanted is not None and self._asked is not None and wanted.of(self._asked):
            return self._answer()
        self._let_go()
        if wanted is not None and now - self._since >= STANDS_AFTER_S:
            self._ask(wanted)
        return None

    def words(self, standing: Outcome | None, model: Model | None) -> str:
        """The mode in which the still frame was analysed; empty if the network was not run, or the picture moves."""
        if model is None or not isinstance(standing, Tumour | NothingFound):
            return ""
        if standing.analysis.mode is Mode.THOROUGH:
            return thorough_words(model.contract)
        if model.thorough is None:
            return ONE_MODE
        return GAVE_NONE if standing.frame is self._failed else FAST

    def close(self) -> None:
        """Stop the thread and wait for it, as long as an analysis takes that it has begun."""
        self._let_go()
        self._jobs.close()
        if self._thread is not None:
            self._thread.join()

    def _let_go(self) -> None:
        """Drop the job: if it has not begun, it never will; if it has, its answer is not shown."""
        if self._asked is not None:
            self._jobs.poll()
            self._asked = None

    def _ask(self, job: _Job) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._loop, name="ius-thorough", daemon=True)
            self._thread.start()
        self._asked = job
        self._jobs.put(job)

    def _answer(self) -> Outcome | None:
        done = self._done.poll()
        if done is None or done[0] is not self._asked:
            return None
        outcome = done[1]
        if isinstance(outcome, Failed):
            self._failed = outcome.frame
            return None
        return outcome

    def _loop(self) -> None:
        while (job := self._jobs.take()) is not None:
            if job.model.thorough is not None:
                outcome: Outcome = Failed(job.frame, "The thorough analysis of this frame broke.")
                try:
                    outcome = marked_if_unlike(job.model.thorough(job.frame), job.model.contract.input.seen)
                finally:  # an unexpected error ends this thread; the screen must not go on saying "under way"
                    self._done.put((job, outcome))


def disagreement_of(outcome: Outcome | None) -> NDArray[np.float32] | None:
    """(rows, cols) float32: how much the passes disagree at each pixel; None if there was only one pass."""
    return outcome.disagreement if isinstance(outcome, Tumour | NothingFound) else None


def _wanted(standing: Outcome | None, model: Model | None) -> _Job | None:
    """The thorough job for a still frame that this model answered in its fast mode; None in any other case."""
    if model is None or model.thorough is None or not isinstance(standing, Tumour | NothingFound):
        return None
    analysis = standing.analysis
    fast = analysis.mode is Mode.FAST and analysis.model_sha256 == model.sha256
    return _Job(standing.frame, model) if fast else None


def thorough_words(contract: ModelContract) -> str:
    """How many passes a thorough answer averages, in words."""
    return f"thorough: mean of {2 ** len(contract.output.mirror_axes)} mirrored passes"
