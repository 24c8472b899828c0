"""The published data sets as they lie on disk."""
