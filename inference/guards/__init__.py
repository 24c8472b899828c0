"""Guards against a signal that misleads: each in a file of its own, all of them asked by `Watch`."""
