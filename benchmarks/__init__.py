"""Side-by-side measurements: each a ratio against a named baseline of the same run. `make bench` runs them all."""
