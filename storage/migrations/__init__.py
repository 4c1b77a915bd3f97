"""Alembic's scripts, part of the package so that an installed `reclaim` can migrate."""
