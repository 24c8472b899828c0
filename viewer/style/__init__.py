"""Colours, fonts, icons and small widgets."""
