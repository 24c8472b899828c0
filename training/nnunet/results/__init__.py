"""Reads nnU-Net's results folders without running any code in them."""
