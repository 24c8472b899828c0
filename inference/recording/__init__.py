"""Records a session as one append-only MCAP file: every frame and answer, readable up to the last complete entry."""
