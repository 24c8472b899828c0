"""A session as one append-only MCAP file: every frame and every answer, readable up to the last whole entry."""
