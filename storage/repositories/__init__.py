"""One repository per subject of `reclaim.ports.storage`, on the connection of a unit of work."""
