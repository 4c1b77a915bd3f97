"""Cells as they are written for a spreadsheet: none that it would run as a formula."""

from typing import Final

# OWASP, CSV injection.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """Return a cell with an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def as_it_was(cell: str) -> str:
    """Return what `harmless` was given, unless that had such an apostrophe itself."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell
