"""Rigid search: a coarse grid of translations with LC2, then BOBYQA (Powell 2009) at finer resolution."""

import contextlib
import itertools
from collections.abc import Callable

import nlopt
import numpy as np
from numpy.typing import NDArray

Parameters = NDArray[np.float64]
Score = Callable[[Parameters], float]


def maximise(
    score: Score, start: Parameters, reach: Parameters, step: Parameters, evaluations: int, tolerance: float = 1e-3
) -> tuple[float, Parameters]:
    """Climb to a maximum without derivatives, by BOBYQA.

    Args:
        score: what to maximise.
        start: where to begin.
        reach: how far each parameter may go from `start`.
        step: the first step of each parameter.
        evaluations: at most so many calls of `score`.
        tolerance: stop when steps get smaller than this share of the first one.

    Returns:
        The best value seen and where.
    """
    seen: list[tuple[float, Parameters]] = []

    def objective(at: Parameters, _: Parameters) -> float:
        here = at.copy()  # nlopt lends its own, read-only
        seen.append((score(here), here))
        return seen[-1][0]

    search = nlopt.opt(nlopt.LN_BOBYQA, len(start))
    search.set_max_objective(objective)
    search.set_lower_bounds(start - reach)
    search.set_upper_bounds(start + reach)
    search.set_initial_step(step)
    search.set_xtol_abs(tolerance * step)
    search.set_maxeval(evaluations)
    # BOBYQA stops with an error when rounding keeps it from improving: the best value seen is the result.
    with contextlib.suppress(nlopt.RoundoffLimited):
        search.optimize(start)
    return max(seen, key=lambda one: one[0])


def grid_of(offsets_mm: NDArray[np.float64]) -> list[Parameters]:
    """A cubic grid of translations, by offsets along each axis."""
    return [np.array([*shift, 0.0, 0.0, 0.0]) for shift in itertools.product(offsets_mm, repeat=3)]
