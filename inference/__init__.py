"""The engine: what a frame of intra-operative ultrasound means."""
