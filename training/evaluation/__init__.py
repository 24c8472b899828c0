"""Scores of masks, by area, per slice and per patient."""
