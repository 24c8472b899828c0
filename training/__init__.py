"""How the model came to be, offline."""
