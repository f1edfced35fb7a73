"""A glance at Python code that tells, of most of it, that no rule has anything to say.

Every name in a syntax tree is a word of the text, as long as all is ASCII. So code without a word that a rule speaks of
needs no tree, and to make one and walk it takes several times as long as to compile the text. What a glance is not sure of
is for the rules. Standard library only, since the worker imports it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

MOST_CHARACTERS = 8192
"""Longer code is not looked at, nor remembered."""
MOST_PARTS = 600
"""Code of so few words and signs nests no deeper than Python reads."""
REMEMBERED = 1024
"""Codes: a definition is looked at when it is applied, and again when it is published."""

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_WORDS_AND_BLANKS = re.compile(r"[\s\w]+", re.ASCII)


@dataclass(frozen=True)
class Glance:
    """What the rules speak of: ``refused`` words, the ``dunders`` that are fine, the ``modules`` that may be imported, and
    ``inner`` ones that these have in them."""

    refused: frozenset[str]
    dunders: frozenset[str]
    modules: frozenset[str]
    inner: frozenset[str]

    def finds_nothing(self, code: str) -> bool:
        """Whether surely nothing is wrong with ``code``; where this is False, the rules say what, or that nothing is."""
        return len(code) <= MOST_CHARACTERS and code.isascii() and _is_plain(code, self)

    def allows(self, code: str) -> bool:
        """Whether there is no word in ``code`` that needs a closer look."""
        words = _WORD.findall(code)
        if not words or len(words) + len(_WORDS_AND_BLANKS.sub("", code)) > MOST_PARTS:
            return False
        distinct = frozenset(words)
        private = {word for word in distinct if word[0] == "_"}
        if not distinct.isdisjoint(self.refused) or any(_is_dunder(word) for word in private - self.dunders):
            return False
        return "import" not in distinct or (
            not private and distinct.isdisjoint(self.inner) and self._imports_plainly(code, words)
        )

    def _imports_plainly(self, code: str, words: Sequence[str]) -> bool:
        """Whether each import is a line of its own, and of modules by their whole names."""
        return "\\" not in code and len(self._import.findall(code)) == words.count("import")

    @cached_property
    def _import(self) -> re.Pattern[str]:
        source = f"(?:{'|'.join(sorted(name for name in self.modules if '.' not in name))})"
        module, name = (f"{one}(?: as \\w+)?(?:, ?{one}(?: as \\w+)?)*" for one in (source, "\\w+"))
        return re.compile(f"^ *(?:import {module}|from {source} import {name})$", re.ASCII | re.MULTILINE)


def _is_dunder(word: str) -> bool:
    return word.startswith("__") and word.endswith("__")


@lru_cache(maxsize=REMEMBERED)
def _is_plain(code: str, glance: Glance) -> bool:
    if not glance.allows(code):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<step>", "exec", dont_inherit=True)
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        return False
    return True
