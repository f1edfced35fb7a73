"""How long a pod's courier waits for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds."""

    dial: float = 15.0
    """What a connection may take to come about."""
    silence: float = 60.0
    """Without a word of the controller, after which a connection is given up."""
    patience: float = 300.0
    """Of refusals that may be a matter of time: 401, 404."""
    unassigned: float = 600.0
    """Without an assignment, after which the pod gives up."""
    grace: float = 25.0
    """After SIGTERM; the pod's own grace period is 30."""
    last_words: float = 30.0
    """For what a dead Runner had left to say."""
    farewell: float = 5.0
    """For a Runner to end by itself once the segment is over."""


USUAL: Final = Times()
