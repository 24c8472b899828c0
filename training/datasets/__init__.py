"""Published layouts on disk."""
