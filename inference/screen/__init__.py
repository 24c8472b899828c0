"""What the scanner wrote beside the sector: the ticks of its depth scale, and its texts."""
