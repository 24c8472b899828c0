"""Opens sources and models, or says in one sentence why that failed."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from inference.assets import demo_clip_path, demo_model_path
from inference.errors import ChoiceError, IusError
from inference.live.model import Model, model_of
from inference.live.requests import DEMO, Compared, Opened, Refusal, SourceRequest
from inference.live.truth import Truth
from inference.model.placement import FIRST_CARD, Placement
from inference.sources import is_live, open_live
from inference.sources import open_source as open_recorded
from inference.sources.base import RecordedSource

log = logging.getLogger(__name__)
T = TypeVar("T")


def open_source(request: SourceRequest) -> Opened | Refusal:
    """Open a source, recorded or live."""
    return or_refusal(lambda: _opened(request))


def load_model(path: Path | None, placement: Placement = FIRST_CARD) -> Model | Refusal:
    """Load a model, the bundled one for None, onto a graphics card where one serves."""
    return or_refusal(lambda: model_of(path or demo_model_path(), placement))


def or_refusal(job: Callable[[], T]) -> T | Refusal:
    """Run a job that opens something, and turn any error into one sentence."""
    try:
        return job()
    except IusError as error:
        return Refusal(str(error), error.regions if isinstance(error, ChoiceError) else ())
    # Door 3 of 3: any error that a decoder or driver raises during opening must end as a sentence on screen, not as a
    # window without a picture.
    except Exception as error:
        log.exception("start failed")
        return Refusal(f"This could not be opened ({error!r}): try another file, and report this one.")


def _opened(request: SourceRequest) -> Opened:
    if is_live(request.text):
        if request.truth is not None:
            raise ChoiceError("Nobody knows the truth of a live picture: give --truth with a recording.")
        return open_live(request.text, spacing=request.spacing)
    text = str(demo_clip_path()) if request.text == DEMO else request.text
    source = open_recorded(
        text, axis=request.axis, spacing=request.spacing, region=request.region, config=request.config
    )
    return source if request.truth is None else _compared(source, request)


def _compared(source: RecordedSource, request: SourceRequest) -> Compared:
    """The recording with its true masks, opened along the same axis."""
    with ExitStack() as opened:
        opened.callback(source.close)
        masks = open_recorded(str(request.truth), axis=request.axis)
        opened.callback(masks.close)
        compared = Compared(source, Truth(masks, source.info, len(source)))
        opened.pop_all()
        return compared
