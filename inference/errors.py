"""All errors, on one page.

    IusError                   the only family a caller has to catch; its text is the sentence the user reads
    ├── SourceError            a file, device or stream cannot be opened or read
    │   ├── NotFoundError      nothing there
    │   ├── FormatError        there, but damaged or not what it claims to be
    │   └── ChoiceError        there, but the user has to say which part is meant
    ├── SpacingError           a spacing that cannot be a spacing: zero, negative, not finite
    ├── ModelError             a model cannot be used
    │   ├── ContractError      no contract, or one that cannot be read
    │   └── SelfTestError      the model does not reproduce its own golden masks on this device
    ├── AnalysisError          the network failed on a frame
    └── OutputError            a result cannot be written
        └── TakenError         another file has that name

Each message is one sentence in the user's words that says what to do next.
"""

import errno

FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
"""The error codes of a full disk, a file size limit and a used-up quota."""


class IusError(Exception):
    """Base of every error that reaches a user."""


class SourceError(IusError):
    """A file, device or stream cannot be opened or read."""


class NotFoundError(SourceError):
    """There is nothing at the given place."""


class FormatError(SourceError):
    """The file is damaged, unsupported or not what it claims to be."""


class ChoiceError(SourceError):
    """The source holds several pictures and the user has to pick one.

    Args:
        sentence: what to do.
        regions: number and words of each ultrasound region that can be picked, if it is one of those.
    """

    def __init__(self, sentence: str, regions: tuple[tuple[int, str], ...] = ()) -> None:
        super().__init__(sentence)
        self.regions = regions


class SpacingError(IusError):
    """A pixel spacing that is zero, negative or not finite."""


class ModelError(IusError):
    """A model file cannot be used."""


class ContractError(ModelError):
    """A model without a contract, or with one that cannot be read."""


class SelfTestError(ModelError):
    """The model does not reproduce its own golden masks on this device."""


class AnalysisError(IusError):
    """The network failed on one frame."""


class OutputError(IusError):
    """A result cannot be written."""


class TakenError(OutputError):
    """Another file has that name, and no file is ever replaced by a record."""


def legible(text: str) -> str:
    """Text with ? for each byte of a file's name that is no letter here: no message, file or stream takes those."""
    return text.encode(errors="replace").decode()
