"""The engine: takes a frame of intra-operative ultrasound, returns a reading."""

from inference import telemetry

# Every command imports this package before any library that sends telemetry.
telemetry.silence()
