"""Jobs behind the live picture: snapshots, previews, the export of a record."""
