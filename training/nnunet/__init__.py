"""nnU-Net, called through its Python API."""
