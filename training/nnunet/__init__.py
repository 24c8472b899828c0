"""Training and prediction with nnU-Net through its Python API."""
