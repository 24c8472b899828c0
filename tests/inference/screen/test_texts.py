"""Which pieces of ink stand in one line."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from inference.screen.texts import _groups


@given(st.integers(1, 30), st.floats(0, 0.2), st.integers(0, 999))
def test_pieces_that_hang_together_are_found_however_long_the_chain(count, share, seed):
    near = np.random.default_rng(seed).random((count, count)) < share
    near |= near.T | np.eye(count, dtype=bool)
    number, group = connected_components(near, directed=False)
    assert _groups(near) == [list(np.flatnonzero(group == one)) for one in range(number)]


def test_a_chain_in_any_order_is_one_group():
    place = np.random.default_rng(0).permutation(200)
    assert _groups(np.abs(place[:, None] - place) <= 1) == [list(range(200))]
