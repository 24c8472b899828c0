"""What the user does, and what happens then."""
