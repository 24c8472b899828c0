"""Which patients and volumes the paper took: before resection, at the first surgery, with a glioma or a metastasis."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

Wider = Literal["reoperations", "other-tumours", "resection"]
WIDER: tuple[Wider, ...] = get_args(Wider)
"""What may be included beyond the paper."""
_TUMOUR = re.compile(r"glio(ma|bl|sarc)|astrocytoma|ependymoma|metasta|\b(gbm|hgg|lgg)\b", re.IGNORECASE)
"""Gliomas and metastases, the tumours that the paper includes."""
BEFORE = ("before", "pre-dura", "post-dura", "before_dura_opening", "dura_open")
RESECTION = ("during", "after", "pre-imri", "resection")


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Who is included.

    Attributes:
        wider: what is taken beyond the paper.
    """

    wider: Collection[Wider] = ()

    def unfit(self, *, phase: str = "", first_surgery: bool | None = None, diagnosis: str = "") -> str:
        """Why a volume is left out; empty if it is taken. What is not known (empty, None) is no reason."""
        said = phase.strip().lower()
        if said and said not in (*BEFORE, *RESECTION):
            return f"unknown phase '{phase}': write one of {', '.join((*BEFORE, *RESECTION))}, or leave it empty"
        if said in RESECTION and "resection" not in self.wider:
            return f"resection has begun ({phase}); --include resection takes it"
        if first_surgery is False and "reoperations" not in self.wider:
            return "operated before; --include reoperations takes it"
        if diagnosis and not _TUMOUR.search(diagnosis) and "other-tumours" not in self.wider:
            return f"neither glioma nor metastasis: {diagnosis}; --include other-tumours takes it"
        return ""


AS_PUBLISHED = Inclusion()
