"""What somebody may have meant by a word that we do not know."""

import difflib
from collections.abc import Iterable, Sequence

from bot.handling import Verb
from bot.parsing import LIKE_ENOUGH, nearest_word


def nearest_verb(words: Sequence[str], verbs: Iterable[Verb]) -> Verb | None:
    """Return the verb that the words most likely begin with, or None if none is near. Verbs have one or two words."""
    best: Verb | None = None
    likest = LIKE_ENOUGH
    for verb in verbs:
        typed = " ".join(words[: verb.name.count(" ") + 1]).lower()
        like = difflib.SequenceMatcher(None, typed, verb.name).ratio()
        if like > likest or (like == likest and best is None):
            best, likest = verb, like
    return best


def nearest_second_word(verb: Verb, rest: Sequence[str], verbs: Iterable[Verb]) -> Verb | None:
    """Return a verb of two words that begins like this one and goes on nearly as typed: "seats mine" for "seats mien"."""
    if len(rest) != 1:
        return None
    longer = {each.name.partition(" ")[2]: each for each in verbs if each.name.startswith(f"{verb.name} ")}
    return longer.get(nearest_word(rest[0], longer) or "")
