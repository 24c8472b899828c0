"""Rigid registration of MRI to ultrasound, and what follows from it: transferred labels, metrics, flags."""
