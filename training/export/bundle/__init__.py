"""An exported model as a MONAI Bundle, which MONAI runs by itself."""
