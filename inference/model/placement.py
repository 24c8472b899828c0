"""Where on a graphics card a network may run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placement:
    """Which card, and how much of its memory: navigation software beside it needs the rest.

    Attributes:
        device: the card's number as CUDA counts, from 0.
        memory_mib: MiB that the network may take at most; None is no limit.

    Raises:
        ValueError: if one is negative, or there is no memory at all.
    """

    device: int = 0
    memory_mib: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no card has."""
        if self.device < 0 or (self.memory_mib is not None and self.memory_mib < 1):
            raise ValueError(f"{self} is no place on a graphics card")


FIRST_CARD = Placement()
