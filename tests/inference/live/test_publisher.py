"""What other programs are told when an answer is withdrawn."""

from contextlib import closing

import pytest

from inference.export.openigtlink_server import Broadcast
from inference.live.health import Condition, Health
from inference.live.publisher import Publisher, withdrawn_words
from inference.live.requests import Refusal, SourceRequest
from inference.live.session import OWN, Session

OF_GUARDS = {Health.FROZEN, Health.RUNNING, Health.CALIBRATING, Health.VIEW_FROZEN}
"""Their sentences, if any, know nothing of the source."""


@pytest.mark.parametrize("health", sorted(set(Health) - OF_GUARDS))
def test_why_an_answer_is_withdrawn_names_no_file(health: Health) -> None:
    """Sentences about a source that broke or could not be opened are for this screen: they name its file."""
    said = withdrawn_words(Condition(health, sentence="Frame 3 of Doe_Jane.dcm cannot be decoded."))
    assert "Doe" not in said
    assert said.endswith(".")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST"])
def test_what_is_sent_from_here_is_never_opened_as_a_source(host: str) -> None:
    """Its last picture would go round and round, and stand as live."""
    with closing(Broadcast(0)) as server:
        port = server.address[1]
        session = Session(lambda _: Refusal("It was opened."), lambda _: Refusal("No model."))
        with closing(session):
            session.publish_to(Publisher(server))
            assert session.peek(SourceRequest(f"igtl://{host}:{port}/Image")) == Refusal(OWN)
            for other in (
                f"igtl://{host}:{port + 1}",
                f"igtl://192.0.2.1:{port}",
                f"rtsp://{host}:{port}/a",
                "igtl://a..b",
            ):
                assert session.peek(SourceRequest(other)) == Refusal("It was opened.")
