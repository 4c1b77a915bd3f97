"""The rules: pure, synchronous, without clock and I/O. A mistake here takes away a person's license."""
