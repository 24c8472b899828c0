"""Cases cut into labelled 2D slices."""
