"""Whatever is done in whatever order, the ledger answers on PostgreSQL as it does on SQLite."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sluice.adapters.postgres import PostgresLedger
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.adapters.sqlite.writer import Writer
from sluice.domain.run.events import Event
from sluice.ports.errors import PortError
from sluice.ports.ledger import AuditEvent, Ledger, Split
from tests.adapters.postgres.server import Server
from tests.contracts.ledger.builders import WORKFLOW, add, admission, ended, run_ended, started, window
from tests.contracts.ledger.conftest import HandClock

Act = Callable[[Ledger], Any]
UIDS = ["r0", "r1", "r2", "r3"]

uids = st.sampled_from(UIDS)
splits = st.builds(
    Split,
    stable=st.just(1),
    candidate=st.sampled_from([0, 2]),
    hundredths=st.sampled_from([0, 2500, 3333, 10_000]),
    by_hash=st.sampled_from([None, None, True, False]),
    forced=st.sampled_from([0, 0, 0, 7]),
)
phases = st.sampled_from(["Succeeded", "Failed", "Error", "Cancelled", "Rejected"])
logs = st.lists(st.sampled_from([started("a"), ended("a"), ended("b", output={"ü": [None]})]), min_size=1, max_size=3)


@st.composite
def admitting(draw: st.DrawFn) -> Act:
    limits: dict[str, Any] = draw(st.sampled_from([{}, {"limit": 1, "queue": True}, {"limit": 2}]))
    place = window(draw(st.sampled_from(["sandbox", "production"])), draw(st.integers(1, 2)))
    counted = draw(st.sampled_from([True, True, False]))
    wanted = admission(draw(uids), split=draw(splits), window=place, counted=counted, **limits)
    return lambda ledger: ledger.admit(wanted)


@st.composite
def appending(draw: st.DrawFn) -> Act:
    uid, epoch, first = draw(uids), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    events: list[Event] = draw(logs)
    verdict = draw(st.none() | phases)

    def act(ledger: Ledger) -> Any:
        last = [] if verdict is None else [run_ended(at=ledger.now(), phase=verdict)]
        answer = add(ledger, uid, first, *events, *last, epoch=epoch)
        return type(answer) if isinstance(answer, BaseException) else answer

    return act


@st.composite
def steering(draw: st.DrawFn) -> Act:
    uid, phase, digest = draw(uids), draw(phases), draw(st.sampled_from(["a", "b"]))
    entry = AuditEvent(1, "ana", "published", "team", uid, {"ü": digest})
    acts: list[Act] = [
        lambda ledger: ledger.pinned(uid),
        lambda ledger: ledger.raise_epoch(uid, "main"),
        lambda ledger: ledger.take_over(uid, [ended("a", reused=True)]),
        lambda ledger: ledger.end_run(uid, run_ended(at=ledger.now(), phase=phase)),
        lambda ledger: ledger.reject(admission(uid), run_ended(at=ledger.now(), phase="Rejected")),
        lambda ledger: ledger.abandon(uid),
        lambda ledger: ledger.claim_key("scope", "k", uid, 60),
        lambda ledger: ledger.record_version(WORKFLOW, 1, digest, 1, entry),
    ]
    return draw(st.sampled_from(acts))


moves = st.lists(st.tuples(st.integers(0, 40), admitting() | appending() | steering()), max_size=25)


def play(ledger: Ledger, clock: HandClock, script: list[tuple[int, Act]]) -> list[Any]:
    """Everything that the ledger says: to each act, and of all in the end."""
    said: list[Any] = []
    for seconds, act in script:
        clock.advance(seconds=seconds)
        try:
            said.append(act(ledger))
        except PortError as error:
            said.append((type(error), str(error)))
    for uid in UIDS:
        said += [ledger.run(uid), ledger.history(uid), list(ledger.steps(uid))]
    for environment in ("sandbox", "production"):
        said.append(ledger.next_queued(WORKFLOW, environment))
        said += [ledger.gate_sample(window(environment, revision), 2, 1) for revision in (1, 2)]
    said += [ledger.dealt(WORKFLOW, revision) for revision in (1, 2)]
    said += [ledger.metrics(WORKFLOW), list(ledger.runs("team")), ledger.highest_revision(WORKFLOW)]
    return [*said, sorted(run.uid for run in ledger.open_runs()), list(ledger.audit_tail())]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=moves)
@example(script=[])
def test_both_say_the_same(server: Server, script: list[tuple[int, Act]]) -> None:
    there, here = HandClock(), HandClock()
    with contextlib.closing(PostgresLedger(server.url, there, schema=server.new_schema())) as postgres:
        said = play(postgres, there, script)
    with contextlib.closing(Writer(":memory:")) as writer:
        expected = play(SqliteLedger(writer, here), here, script)

    assert said == expected
