"""Work beside the window: snapshots, previews, keeping the computer awake."""
