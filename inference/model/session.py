"""Opens the session that runs a model file on one provider."""

from pathlib import Path

from inference.errors import ModelError
from inference.model.placement import FIRST_CARD, Placement
from inference.model.providers import OPENVINO, Session


def open_session(
    path: Path, provider: str, threads: int, fallbacks: list[str], placement: Placement = FIRST_CARD
) -> Session | None:
    """A session that really has `provider`, or None with the reason in `fallbacks`.

    Raises:
        ModelError: if the CPU cannot read the file either: it is no usable ONNX model.
    """
    if provider == OPENVINO:
        from inference.model.openvino_session import OpenVinoSession

        try:
            return OpenVinoSession(path, threads)
        except ModelError as error:
            fallbacks.append(str(error))
            return None
    from inference.model.onnxruntime_session import onnxruntime_session  # late: it names providers by this file's words

    return onnxruntime_session(path, provider, threads, fallbacks, placement)
