"""Where things stand in the window."""
