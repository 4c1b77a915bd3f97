"""Use cases, one a module: load, ask the domain, save in one short transaction; the network comes later, from those rows."""
