"""Patterns of names: `*` stands for any characters, also none; everything else for itself, in any case.

There are no other wildcards and no regular expressions, so that a pattern takes time in proportion to the text.
"""

from typing import Final

from reclaim.errors import InvalidRequest

STAR: Final = "*"
MOST_CHARACTERS: Final = 100
MOST_STARS: Final = 5


def check_pattern(text: str) -> str:
    """Return a pattern as it is stored: without spaces at the ends and without stars side by side.

    Raises:
        InvalidRequest: It has no star, or nothing else, or too much.
    """
    pattern = STAR.join(part for part in _ends_kept(text.strip()))
    if len(pattern) > MOST_CHARACTERS:
        raise InvalidRequest(f"Please use at most {MOST_CHARACTERS} characters.", field="name")
    if STAR not in pattern:
        raise InvalidRequest("A name pattern needs a *, which stands for any characters: svc-*", field="name")
    if pattern.count(STAR) > MOST_STARS:
        raise InvalidRequest(f"Please use at most {MOST_STARS} stars.", field="name")
    if not any(character.isalnum() for character in pattern):
        raise InvalidRequest("This matches nearly everybody. Add letters: svc-*", field="name")
    return pattern


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern fits the whole text."""
    first, *rest = pattern.casefold().split(STAR)
    folded = text.casefold()
    if not rest:
        return folded == first
    *middle, last = rest
    if not folded.startswith(first) or len(folded) < len(first) + len(last) or not folded.endswith(last):
        return False
    at, end = len(first), len(folded) - len(last)
    for part in middle:
        # The earliest place leaves the most room for the others, so that none is ever tried twice.
        found = folded.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def matches_name(pattern: str, *names: str) -> bool:
    """Whether a pattern fits one of a person's names."""
    return any(matches(pattern, name) for name in names)


def _ends_kept(text: str) -> list[str]:
    """Return what stands between stars; of several stars side by side one is left."""
    first, *rest = text.split(STAR)
    if not rest:
        return [first]
    *middle, last = rest
    return [first, *(part for part in middle if part), last]
