"""Adapters of outside systems: each implements a Protocol of `reclaim.ports` and lets no library type or error out."""
