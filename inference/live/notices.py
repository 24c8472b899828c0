"""What a source has to say of itself, said again whenever it says something else."""

from inference.source_info import SourceInfo


class Notices:
    """Tells a source's notice once: another device of a server may be seen long after the source was opened."""

    def __init__(self) -> None:
        self._told = ""

    def news(self, info: SourceInfo | None) -> str:
        """The notice, if it is not the one that was told last; else an empty string."""
        notice = "" if info is None else info.notice
        if not notice or notice == self._told:
            return ""
        self._told = notice
        return notice

    def forget(self) -> str:
        """Tell it of another source, even if it has the same words. Returns what was told last, which holds no more."""
        told, self._told = self._told, ""
        return told
