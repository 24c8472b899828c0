"""The engine: what a frame of intra-operative ultrasound means."""

from inference import telemetry

# Every command imports this package before any library that reports home.
telemetry.silence()
