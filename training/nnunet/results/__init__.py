"""An nnU-Net results folder, read without running anything in it."""
