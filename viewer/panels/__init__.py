"""Panels beside the picture."""
