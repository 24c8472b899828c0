"""Opens the session that runs a model file on one provider."""

from pathlib import Path

from inference.errors import ModelError
from inference.model.placement import FIRST_CARD, Placement
from inference.model.providers import OPENVINO, Session


def open_session(
    path: Path,
    provider: str,
    threads: int,
    fallbacks: list[str],
    data: bytes | None = None,
    placement: Placement = FIRST_CARD,
) -> Session | None:
    """A session that really has `provider`, or None with the reason in `fallbacks`.

    Args:
        path: the model, for messages.
        provider: the one.
        threads: CPU threads of the network.
        fallbacks: is added to.
        data: its bytes, where they have been read and hashed; None reads them.
        placement: the graphics card, and how much of its memory.

    Raises:
        ModelError: if the CPU cannot read the file either: it is no usable ONNX model.
    """
    data = path.read_bytes() if data is None else data
    if provider == OPENVINO:
        from inference.model.openvino_session import OpenVinoSession

        try:
            return OpenVinoSession(data, threads)
        except ModelError as error:
            fallbacks.append(str(error))
            return None
    from inference.model.onnxruntime_session import onnxruntime_session  # late: it names providers by this file's words

    return onnxruntime_session(path, data, provider, threads, fallbacks, placement)
