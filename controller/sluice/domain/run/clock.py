"""The run's own clock: it stops while only waits remain, so that ``timeout: 1h`` goes with a wait of two hours."""

from __future__ import annotations


class RunClock:
    """Counts active time from the events of the history. All times are microseconds.

    ``timeout`` is 0 for none; ``deadline`` is a time that ends the run whatever its clock says, 0 for none.
    """

    def __init__(self, started: int, timeout: int, deadline: int) -> None:
        self.last = started
        self._timeout = timeout
        self._deadline = deadline
        self._spent = 0

    def pass_time(self, at: int, *, active: bool) -> None:
        """Something happened at this time; the time before it counts if the run was active."""
        if self.last and active:
            self._spent += max(at - self.last, 0)
        self.last = max(at, self.last)

    def expires(self, *, active: bool) -> int:
        """When the run times out if nothing changes; 0 for never."""
        limits = [self._deadline] if self._deadline else []
        if self._timeout and active and self.last:
            limits.append(self.last + self._timeout - self._spent)
        return min(limits, default=0)
