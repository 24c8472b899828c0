"""What the user does, and what follows from it."""
