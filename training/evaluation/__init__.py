"""Scores, by area, per slice and per patient."""
