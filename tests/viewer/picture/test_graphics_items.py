"""What is drawn of an outline."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from viewer.picture.graphics_items import OFF, thinned


@given(st.integers(0, 10_000), st.integers(3, 600), st.floats(0.5, 300.0), st.floats(0.0, 0.3))
def test_a_drawn_line_stays_with_its_outline(seed: int, count: int, radius: float, rough: float) -> None:
    random, angles = np.random.default_rng(seed), np.linspace(0, 2 * np.pi, count, endpoint=False)
    radii = radius * (1 + rough * np.sin(3 * angles + seed)) + random.uniform(-0.1, 0.1, count)
    outline = (400 + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.float32)
    drawn = thinned(outline)
    assert {*map(tuple, drawn.tolist())} <= {*map(tuple, outline.tolist())}
    # OpenCV takes out points that lie on a line in a last pass, after those that the tolerance allows.
    assert _farthest(outline, drawn) <= 2 * OFF


def _farthest(points: NDArray[np.float32], polygon: NDArray[np.float32]) -> float:
    """The greatest distance of points (n, 2) from the closed line through a polygon (m, 2)."""
    start, way = polygon.astype(np.float64), np.roll(polygon, -1, axis=0).astype(np.float64) - polygon
    length = np.maximum((way**2).sum(axis=1), 1e-12)
    share = np.clip(((points[:, None] - start) * way).sum(axis=2) / length, 0, 1)
    return float(np.linalg.norm(points[:, None] - start - share[..., None] * way, axis=2).min(axis=1).max())
