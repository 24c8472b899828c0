"""The window: what the surgeon sees."""
