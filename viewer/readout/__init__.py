"""What the screen says of an answer: states, words, figures."""
