"""What of a run the code of a Python step can see at all, so that nothing else is sent to its worker.

The text decides: a name that does not occur in it can't be used, for code can't make names up (``eval``, ``globals`` are
refused). Where ``steps`` is used in a way other than ``steps.a`` or ``steps["a"]`` (``steps.values()``), all visible
steps are sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

_STEPS = re.compile(r"\bsteps\b")
_ONE_STEP = re.compile(r"""\bsteps(?:\.([a-z][a-z0-9_]*)|\[\s*(?:"([a-z][a-z0-9_]*)"|'([a-z][a-z0-9_]*)')\s*\])""")

_METHODS = frozenset(dir(dict))


@dataclass(frozen=True, slots=True)
class CodeView:
    """A step's code and what it mentions. ``steps`` are the names it reads; None means all that are visible."""

    code: str
    digest: str
    payload: bool
    context: bool
    params: bool
    steps: frozenset[str] | None

    @property
    def reads_steps(self) -> bool:
        """Whether it reads any step's record."""
        return self.steps is None or bool(self.steps)


def view_of(code: str) -> CodeView:
    """Look at the code. Text beyond ASCII may spell a name in another way, so it is taken to use everything."""
    digest = sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
    if not code.isascii():
        return CodeView(code, digest, payload=True, context=True, params=True, steps=None)
    named = [next(filter(None, match.groups())) for match in _ONE_STEP.finditer(code)]
    every = len(named) != len(_STEPS.findall(code)) or not _METHODS.isdisjoint(named)
    return CodeView(
        code,
        digest,
        payload="payload" in code,
        context="context" in code,
        params="params" in code,
        steps=None if every else frozenset(named),
    )
