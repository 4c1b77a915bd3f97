"""What Reclaim remembers: SQLAlchemy Core on SQLite (embedded) or PostgreSQL, behind `reclaim.ports.storage`."""
