"""Progress bars that also say how long the whole will take."""

from typing import Any

from tqdm import tqdm

_FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed} of about {whole}, {rate_fmt}]"


class Bar(tqdm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """tqdm's bar, with the time of the whole beside the time so far."""

    @property
    def format_dict(self) -> dict[str, Any]:
        """What the format may name: tqdm's fields, and `whole`."""
        fields = super().format_dict
        done, left = fields["n"] - fields["initial"], (fields["total"] or 0) - fields["n"]
        whole = self.format_interval(fields["elapsed"] * (done + left) / done) if done > 0 else "?"
        return {**fields, "bar_format": _FORMAT, "whole": whole}
