"""The elements of one JSON array, one after the other: neither the array nor its text is ever in memory as a whole."""

import json
from collections.abc import Callable, Iterator
from typing import Final

PIECE: Final = 1 << 16  # characters
_BLANK: Final = " \t\r\n"
_DECODER: Final = json.JSONDecoder()


class BadElement(Exception):
    """The text is no array from this element on.

    Attributes:
        number: Of the element, from one.
        problem: What is wrong with it.
    """

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"element {number}: {problem}")
        self.number = number
        self.problem = problem


def elements(first: str, read: Callable[[int], str], *, longest: int) -> Iterator[object]:
    """Yield the elements of an array.

    Args:
        first: The beginning of the text, from the opening bracket on.
        read: Returns at most so many characters that follow; none at the end.
        longest: Characters that an element may have.

    Raises:
        BadElement: Where the text is no JSON, an element is too long, or the text ends before the array or goes on after it.
    """
    text = _Text(first, read)
    text.at = 1
    number = 0
    if text.next() == "]":
        text.at += 1
    else:
        while True:
            number += 1
            yield _element(text, number, longest)
            sign = text.next()
            text.at += 1
            if sign == "]":
                break
            if sign != ",":
                problem = "a comma or the closing bracket is missing" if sign else "the file breaks off"
                raise BadElement(number, f"{problem} behind it")
    if text.next():
        raise BadElement(number + 1, "the array has ended, and more follows")


class _Text:
    """What is read and not yet used, from `at` on."""

    def __init__(self, first: str, read: Callable[[int], str]) -> None:
        self.known = first
        self.at = 0
        self._read = read

    def more(self) -> bool:
        """Read a piece; False: there is none."""
        piece = self._read(PIECE)
        self.known = self.known[self.at :] + piece
        self.at = 0
        return bool(piece)

    def next(self) -> str:
        """Go to the next sign that is not blank, and return it; nothing at the end."""
        while True:
            while self.at < len(self.known) and self.known[self.at] in _BLANK:
                self.at += 1
            if self.at < len(self.known):
                return self.known[self.at]
            if not self.more():
                return ""


def _element(text: _Text, number: int, longest: int) -> object:
    if not text.next():
        raise BadElement(number, "the file breaks off before it")
    while True:
        try:
            value, end = _DECODER.raw_decode(text.known, text.at)
        except json.JSONDecodeError as error:
            # What is cut looks like what is wrong: only with more of it is it sure.
            if len(text.known) - text.at <= longest and text.more():
                continue
            if len(text.known) - text.at > longest:
                raise BadElement(number, f"no JSON, or longer than {longest:,} characters: {error.msg}") from error
            raise BadElement(number, f"no JSON, or the file breaks off in it: {error.msg}") from error
        except (ValueError, RecursionError) as error:  # a number of thousands of digits; a list in a list in a list …
            raise BadElement(number, "no JSON that can be read") from error
        size = end - text.at
        if size > longest:
            raise BadElement(number, f"longer than {longest:,} characters")
        # A number that is cut at the end of a piece is a number too.
        if end < len(text.known) or not text.more():
            text.at += size
            return value
