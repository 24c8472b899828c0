"""A model file as the engine runs it: session, preprocessing, tiles, mask and self-test."""
