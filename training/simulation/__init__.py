"""Simulated brain-tumour patients and their intra-operative ultrasound, in the layouts of the published data sets."""

from inference.errors import IusError


class CohortError(IusError):
    """A simulated cohort cannot be made as asked."""
