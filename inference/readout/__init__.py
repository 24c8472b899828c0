"""What is said of an answer, in words, shapes and lines: what a hazard review reads."""
