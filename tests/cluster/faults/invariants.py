"""What must hold in the end, whatever went wrong: in the objects, in the ledger, in the logs."""

from __future__ import annotations

import contextlib
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sluice.adapters.postgres import PostgresLedger
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.api import kinds
from sluice.bootstrap.ledgers import open_ledger
from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, Event
from sluice.ports.clock import SystemClock
from sluice.ports.ledger import RunRecord
from sluice.ports.store import Obj
from tests.cluster.faults.scenario import STEPS, WALKING, Scenario
from tests.cluster.faults.site import Site

AnyLedger = PostgresLedger | SqliteLedger
SHOWN = 1500
EVERYBODYS = ("/leases", "/tokenreviews", "/secrets")
"""Elections, questions, and the certificates that every replica serves."""


def check(story: Scenario, site: Site) -> None:
    """All invariants. The replicas are stopped for it, since an SQLite file has one owner."""
    quiet_at = time.monotonic()
    _check_figures(site)
    runs = site.space.store.list(kinds.WORKFLOW_RUN, site.space.namespace).items
    versions = site.space.store.list(kinds.WORKFLOW_VERSION, site.space.namespace).items
    workflows = {
        one["metadata"]["name"]: one for one in site.space.store.list(kinds.WORKFLOW, site.space.namespace).items
    }
    for replica in site.replicas:
        took = replica.stop()
        code = replica.process.ended_with
        assert code == 0 or (code == 1 and replica.was_deposed), f"{replica.name} ended with {code} after {took:.1f} s"
    with _ledger(site) as ledger:
        _check_versions(story, versions, workflows, ledger)
        _check_runs(story, site, runs, ledger)
        _check_split(story, site, workflows[WALKING], ledger)
    _check_terms(site)
    _check_writes(site, quiet_at)
    _check_logs(site)


def _check_figures(site: Site) -> None:
    """Nothing is kept for runs that are over."""
    with urllib.request.urlopen(f"{site.leader().health}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    flying = [line for line in lines if line.startswith("sluice_runs_in_flight ")]
    assert flying == ["sluice_runs_in_flight 0.0"], flying


def _check_versions(story: Scenario, versions: list[Obj], workflows: dict[str, Obj], ledger: AnyLedger) -> None:
    """Numbered without gaps, each entered in the audit once."""
    entries = [entry for entry in ledger.audit_tail(1000) if entry.action == "workflow.published"]
    entered = Counter((entry.object.removeprefix("workflow/"), entry.body["number"]) for entry in entries)
    there = Counter((version["spec"]["workflow"], version["spec"]["number"]) for version in versions)
    wanted = Counter((name, n) for name, newest in story.versions.items() for n in range(1, newest + 1))
    assert there == wanted, f"versions: {there}"
    assert entered == wanted, f"entered in the audit: {entered}"
    assert ledger.audit_broken_at() == 0
    for name, newest in story.versions.items():
        assert ledger.highest_version(workflows[name]["metadata"]["uid"]) == newest


def _check_runs(story: Scenario, site: Site, runs: list[Obj], ledger: AnyLedger) -> None:
    there = {run["metadata"]["name"]: run for run in runs}
    assert there.keys() - story.deleted == story.expected.keys() - story.deleted
    assert not ledger.open_runs(), f"still open: {[record.name for record in ledger.open_runs()]}"
    for name, run in there.items():
        record = ledger.run(run["metadata"]["uid"])
        assert record is not None, f"the ledger lost {name}"
        status = run["status"]
        assert status["phase"] == record.phase, f"{name}: {status['phase']} in the object, {record.phase} in the ledger"
        assert status["phase"] in story.expected[name], f"{name}: {status}"
        if "pin" in run["spec"]:
            assert run["spec"]["pin"]["number"] == record.number, f"{name} is pinned to another version than it drew"
            assert status["version"] == f"v{record.number}"
        _check_history(record, ledger.history(record.uid))


def _check_history(record: RunRecord, history: Sequence[Event]) -> None:
    """Nothing twice, nothing missing, all of one version."""
    ended = [event for event in history if event.kind == STEP_ENDED]
    # A retry that was promised is withdrawn where a run is to end: that attempt is said to have ended for good then.
    ends = Counter((event.step, event.attempt, "retryAt" in event.body) for event in ended)
    twice = [at for at, times in ends.items() if times > 1]
    assert not twice, f"{record.name}: these attempts ended twice: {twice}"
    if record.phase == "Cancelled" and not history:
        return  # before anything of it had begun
    verdicts = sum(event.kind == RUN_ENDED for event in history)
    assert verdicts == 1, f"{record.name}: {verdicts} verdicts"
    assert history[-1].kind == RUN_ENDED, f"{record.name}: something follows its end"
    done = Counter(event.step for event in ended if event.body["phase"] == "Succeeded")
    assert all(times == 1 for times in done.values()), f"{record.name}: done twice: {done}"
    if record.phase == "Succeeded":
        assert done.keys() == set(STEPS), f"{record.name}: done is {sorted(done)}"
    by = {event.body["output"]["by"] for event in ended if event.step == "first" and event.body["phase"] == "Succeeded"}
    assert by <= {record.number}, f"{record.name} drew v{record.number} and ran {by}"


def _check_split(story: Scenario, site: Site, workflow: Obj, ledger: AnyLedger) -> None:
    """While v2 is the candidate, as many runs on each version as the percentage says, to one run (R044)."""
    if story.percent == 100:
        return  # it is the stable one at once
    revision, uid = workflow["status"]["rollout"]["revision"], workflow["metadata"]["uid"]
    drawn = [record for record in ledger.runs(site.space.namespace, WALKING, limit=1000) if record.n]
    window = [record for record in drawn if record.window.endswith(f"/local/{revision}")]
    places = sorted(record.n for record in window)
    candidates = sorted(record.n for record in window if record.candidate)
    wanted = [n for n in places if n * story.percent // 100 > (n - 1) * story.percent // 100]
    assert candidates == wanted, f"of places {places} the candidate had {candidates}"
    assert len(set(places)) == len(places), f"places dealt twice: {places}"
    candidate, stable = ledger.dealt(uid, revision).get("local", (0, 0))
    total = candidate + stable
    assert candidate == total * story.percent // 100, f"{candidate} of {total} at {story.percent} %"


def _check_terms(site: Site) -> None:
    terms = [term for term, _ in site.terms]
    assert terms == sorted(terms), f"terms fell: {site.terms}"
    holders = {term: {holder for number, holder in site.terms if number == term} for term in terms}
    assert all(len(names) == 1 for names in holders.values()), f"two in one term: {holders}"


def _check_writes(site: Site, until: float) -> None:
    """Whoever does not lead writes nothing but what all replicas do; later than ``until`` nobody looked who leads."""
    if sorted(site.acquired) != list(range(1, len(site.acquired) + 1)):
        return  # a term was over before anybody looked
    holders, epoch = dict(site.terms), time.time() - time.monotonic()
    for replica in site.replicas:
        for seen in replica.api.seen:
            at = seen.at + epoch
            term = max((term for term, began in site.acquired.items() if began <= at), default=0)
            leads = holders.get(term, "").partition("_")[0] == replica.name
            is_free = seen.method == "GET" or any(part in seen.path for part in EVERYBODYS)
            if not (is_free or leads or seen.at > until):
                raise AssertionError(f"{replica.name} wrote {seen.method} {seen.path} in term {term}: {site.acquired}")


def _check_logs(site: Site) -> None:
    """What is expected to go wrong is one line; a traceback is a bug of ours."""
    for replica in site.replicas:
        at = replica.log.find("Traceback")
        assert at < 0, f"the log of {replica.name} has a traceback:\n{replica.log[max(0, at - 300) : at + SHOWN]}"


@contextmanager
def _ledger(site: Site) -> Iterator[AnyLedger]:
    opened = open_ledger(site.ledger, SystemClock())
    with contextlib.closing(opened):
        yield opened.ledger
