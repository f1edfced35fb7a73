"""What somebody may have meant: what ``difflib.get_close_matches`` answers for one match, found in a fraction of the time.

A definition whose steps were renamed by half has hundreds of unknown names, each to be held against hundreds of known ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

CLOSE = 0.6
"""How alike two words are at least, from 0 to 1."""
_LONGEST, _MOST_ALIKE = 64, 8
"""Characters of a word, and how often it has the same one: what is beyond is left to difflib."""


def nearest(word: str, names: Iterable[str]) -> str:
    """The name that is most like ``word``, of several the last by the alphabet; empty where none is close."""
    known = list(names)
    if any(len(name) > _LONGEST or _letters(name) < 0 for name in (word, *known)):
        return next(iter(get_close_matches(word, known, n=1, cutoff=CLOSE)), "")
    letters = _letters(word)
    bounds = ((2.0 * (letters & _letters(name)).bit_count() / (len(word) + len(name)), name) for name in known)
    matcher = SequenceMatcher()
    matcher.set_seq2(word)
    best = (CLOSE, "")
    # What two words have in common can't be more than their letters: once that is less than the best, so are all others.
    for bound, name in sorted((pair for pair in bounds if pair[0] >= CLOSE), reverse=True):
        if bound < best[0]:
            break
        matcher.set_seq1(name)
        best = max(best, (matcher.ratio(), name))
    return best[1]


@lru_cache(maxsize=4096)
def _letters(word: str) -> int:
    """A set of bits, one for each letter and how often it was there before; -1 where it would take too many."""
    found = 0
    if not word or not word.isascii():
        return -1
    for letter in word:
        first = ord(letter) * _MOST_ALIKE
        bit = first
        while found >> bit & 1:
            bit += 1
        if bit == first + _MOST_ALIKE:
            return -1
        found |= 1 << bit
    return found
