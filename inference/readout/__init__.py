"""The words, shapes and lines that describe an answer: the package that a hazard review reads."""
