"""What other programs are told when an answer is withdrawn."""

import pytest

from inference.live.health import Condition, Health
from inference.live.publisher import withdrawn_words

OF_GUARDS = {Health.FROZEN, Health.RUNNING, Health.CALIBRATING, Health.VIEW_FROZEN}
"""Their sentences, if any, know nothing of the source."""


@pytest.mark.parametrize("health", sorted(set(Health) - OF_GUARDS))
def test_why_an_answer_is_withdrawn_names_no_file(health: Health) -> None:
    """Sentences about a source that broke or could not be opened are for this screen: they name its file."""
    said = withdrawn_words(Condition(health, sentence="Frame 3 of Doe_Jane.dcm cannot be decoded."))
    assert "Doe" not in said
    assert said.endswith(".")
