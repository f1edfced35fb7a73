"""The canonical form of a definition: one spelling (``steps``), every default written out, nothing that says nothing.

Two definitions that mean the same have the same canonical form, whatever their spelling, comments and order of keys.
The order of ``steps`` counts, that of ``needs`` doesn't. Descriptions stay in the form, for people read them in a
version, and are left out of the digest: to correct a comment is no new version. Positions of nodes are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.domain.definition.shapes import DEFINITIONS, LATEST, fill
from sluice.domain.definition.spellings import steps_of

SPELLINGS = frozenset({"steps", "nodes", "edges", "tasks"})


def canonicalize(definition: Mapping[str, Any], level: int = LATEST) -> dict[str, Any]:
    """The canonical form at a level: pure, idempotent, sharing nothing with ``definition``.

    ``definition`` is as on the wire (camelCase) and of the right shape; what it refers to need not exist. Raises
    ValueError for a level that this release doesn't know.
    """
    shape = DEFINITIONS.get(level)
    if shape is None:
        raise ValueError(f"level {level} is not known here; known are {', '.join(map(str, sorted(DEFINITIONS)))}")
    rest = {key: value for key, value in definition.items() if key not in SPELLINGS}
    return fill({**rest, "steps": steps_of(definition)}, shape)
