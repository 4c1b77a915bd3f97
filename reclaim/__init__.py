"""Reclaim: find idle license seats, ask a person, remove on approval, prove it."""
