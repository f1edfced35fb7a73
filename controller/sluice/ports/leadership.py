"""The Leadership port: of several controllers one acts, the others stand by and know where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Elected = Callable[[int], None]
Deposed = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who leads. ``runner_url`` is where it wants runners to go; empty if it did not say."""

    identity: str
    runner_url: str = ""


class Leadership(Protocol):
    """A candidacy for the one leadership, of one process. Any thread may use it.

    What always holds, as long as all machines' seconds are about equally long: at no moment ``is_leading`` is true in two
    processes. Their times of day may be as wrong as they like.
    """

    def start(self, on_elected: Elected, on_deposed: Deposed) -> None:
        """Stand for election until ``release``, again after each deposition. Called once.

        Both callbacks get the term that begins or is over. They are called on one thread, one after the other, and may
        take their time: the leadership is kept up meanwhile. Each ``on_elected`` is followed by one ``on_deposed`` of the
        same term, unless ``release`` comes first. Both may come late (the term that ``on_elected`` is about may be over by
        then), so what may be done is asked of ``is_leading``, not concluded from them. An ``on_elected`` that raises gives
        the leadership up.
        """

    def is_leading(self) -> bool:
        """Whether this process may act now. Costs nothing, never waits; false once the leadership could not be kept up,
        also before anybody noticed."""

    @property
    def term(self) -> int:
        """The term that this process leads in, 0 if it does not. Each election has a higher one than all before."""

    def holder(self) -> Holder | None:
        """The leader as far as is known here; None while there is none, or none that shows signs of life."""

    def release(self) -> None:
        """Stop for good; a leader hands over, so that another one takes over at once. Safe to call twice.

        End all work that writes first. ``is_leading`` is false from the call on. No callback is called any more once it
        returns; called by a callback, it does not wait for that one. It takes as long as a request to the store at most.
        """
