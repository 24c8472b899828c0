"""Guards against a misleading signal: each in its own file, all of them called by `Watch`."""
