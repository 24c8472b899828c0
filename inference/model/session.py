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
    """A session that really runs on `provider`; None if it does not, with the reason added to `fallbacks`.

    Args:
        path: the model file, for messages.
        provider: a name in `providers.WORDS`.
        threads: CPU threads of the network.
        fallbacks: sentences; extended in place.
        data: the bytes of the file, if they have been read and hashed already; None reads them.
        placement: the graphics card to use, and how much of its memory.

    Raises:
        ModelError: if the CPU cannot load the file either: it is not a usable ONNX model.
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
