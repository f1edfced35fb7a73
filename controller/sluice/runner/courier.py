"""The courier: process 1 of a runner pod, which carries messages between the Runner and whichever controller leads.

One thread waits for both sides, for signals and for the clock. Connections come and go; what the Runner has appended
stays in the outbox until the ledger has it. What is decided is decided elsewhere: by `Dialling` where to go and when,
by `Exchange` what to pass on. Here it is done.

On SIGTERM (the pod is deleted or evicted) everything goes on as before: the results of steps in flight are still
recorded, until the segment is over or the grace period nearly is. A step that is in flight then is begun again elsewhere.
"""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
import time
from typing import Final

from sluice import __version__
from sluice.runner.connection import Trust
from sluice.runner.endings import Ending, ExitCode
from sluice.runner.exchange import Exchange
from sluice.runner.forked import RunnerProcess
from sluice.runner.journal import Journal
from sluice.runner.line import Line
from sluice.runner.protocol import Closed, ProtocolError
from sluice.runner.settings import Settings
from sluice.runner.times import Times

TERMINATING: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_NEVER: Final = float("inf")


class Courier:
    """``woken`` is the socket to which Python writes the numbers of signals (`signal.set_wakeup_fd`)."""

    def __init__(
        self, settings: Settings, runner: RunnerProcess, woken: socket.socket, *, times: Times, journal: Journal
    ) -> None:
        trust = Trust.of(settings.authority, settings.server_name)
        self._runner = runner
        self._woken = woken
        self._times = times
        self._journal = journal
        self._selector = selectors.DefaultSelector()
        self._line = Line(settings, trust, self._selector, times=times, journal=journal)
        self._exchange = Exchange(settings.scratch, version=__version__, say_once=journal.say_once)
        self._watched = selectors.EVENT_READ
        self._began = time.monotonic()
        self._terminated_at = self._over_at = self._died_at = _NEVER

    def run(self) -> Ending:
        """Carry messages until there is a reason to stop."""
        self._selector.register(self._woken, selectors.EVENT_READ, self._hear_signals)
        self._selector.register(self._runner, self._watched, self._hear_runner)
        while (ending := self._ending(time.monotonic())) is None:
            self._round()
        self._line.close(1000 if ending.code == ExitCode.OVER else 1001, ending.message)
        return ending

    def _round(self) -> None:
        """Wait for something to happen and carry on what there is."""
        for key, _ in self._selector.select(max(0.0, self._look() - time.monotonic())):
            key.data()
        self._hear_controller()
        self._give_runner()
        self._give_controller()
        self._line.tend()

    def _look(self) -> float:
        """When to look again although nothing happens."""
        times = self._times
        unassigned = _NEVER if self._exchange.assigned else self._began + times.unassigned
        ends = (self._terminated_at + times.grace, self._over_at + times.farewell, self._died_at + times.last_words)
        return min(self._line.look, unassigned, *ends)

    def _ending(self, now: float) -> Ending | None:
        """Why to stop, if there is a reason."""
        exchange, runner, times = self._exchange, self._runner, self._times
        if exchange.over and (runner.gone or now >= self._over_at + times.farewell):
            return Ending(ExitCode.OVER, exchange.over)
        if runner.gone and runner.lease_is_over:
            return Ending(
                ExitCode.LEASE_OVER, "the controller was silent for too long; the segment may be another's by now"
            )
        if self._line.gave_up:
            return self._line.gave_up
        if runner.gone and (exchange.outbox.empty or now >= self._died_at + times.last_words):
            return Ending(ExitCode.RUNNER_DIED, f"the process that runs the steps {runner.describe_end()}")
        if now >= self._terminated_at + (times.grace if exchange.assigned else 0.0):
            return Ending(ExitCode.TERMINATED, "the pod was told to end, and its time is over")
        if not exchange.assigned and now >= self._began + times.unassigned:
            return Ending(ExitCode.LEASE_OVER, f"no controller gave this pod its work within {times.unassigned:g} s")
        return None

    def _hear_signals(self) -> None:
        with contextlib.suppress(BlockingIOError):
            for number in self._woken.recv(4096):
                if number in TERMINATING and self._terminated_at == _NEVER:
                    self._terminated_at = time.monotonic()
                    self._journal.say("the pod is told to end; what is in flight has a little time left")
        self._runner.reap()

    def _hear_runner(self) -> None:
        try:
            messages = self._runner.receive()
        except (Closed, ProtocolError) as error:
            self._selector.unregister(self._runner)
            self._watched = 0
            self._runner.hang_up(kill=isinstance(error, ProtocolError))
            self._died_at = time.monotonic()
            return
        for message in messages:
            if message[0] == "events":
                self._journal.record(message[3])
            self._exchange.hear_runner(message)

    def _hear_controller(self) -> None:
        if self._line.just_opened:
            self._exchange.connect()
        try:
            for message in self._line.receive():
                self._exchange.hear_controller(message)
        except ProtocolError as error:
            self._line.distrust(str(error))
        if self._exchange.over:
            self._over_at = min(self._over_at, time.monotonic())

    def _give_runner(self) -> None:
        """Pass on what is for it, and take in no more of it than there is room for."""
        for body in self._exchange.for_runner:
            self._runner.tell(body)
        self._exchange.for_runner.clear()
        self._runner.flush()
        if self._runner.hung_up:
            return
        may_wait = self._exchange.outbox.full and self._runner.status is None
        wanted = 0 if may_wait else selectors.EVENT_READ
        wanted |= selectors.EVENT_WRITE if self._runner.pending else 0
        if wanted == self._watched:
            return
        if self._watched:
            self._selector.unregister(self._runner)
        if wanted:
            self._selector.register(self._runner, wanted, self._hear_runner)
        self._watched = wanted

    def _give_controller(self) -> None:
        for body in self._exchange.for_controller:
            self._line.send(body)
        self._exchange.for_controller.clear()
        while self._line.has_room and (entry := self._exchange.outbox.next_unsent()):
            self._line.send(entry.body)
