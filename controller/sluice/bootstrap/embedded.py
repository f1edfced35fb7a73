"""The embedded program: everything in one process beside one SQLite file, served on localhost."""

from __future__ import annotations

import gc
import getpass
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.adapters.local.compiler import DefinitionCompiler
from sluice.adapters.local.helper_process import HelperProcess
from sluice.adapters.local.launcher import LocalLauncher
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api import kinds
from sluice.api.kinds import KindInfo
from sluice.bootstrap.admission import embedded_admission
from sluice.bootstrap.auditing import AuditedStore
from sluice.bootstrap.journal import Journal
from sluice.bootstrap.system import Parts, System
from sluice.crds import bundle
from sluice.ports.clock import Clock, SystemClock
from sluice.ports.errors import NotFound
from sluice.ports.launcher import SegmentSink
from sluice.ports.store import Actor, Obj, Ref
from sluice.runtime.feeds import follow

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

DATABASE = "sluice.db"
SWITCH_INTERVAL = 1e-4
"""Seconds. A busy thread (parsing, validating) gives the others a turn this often, not every 5 ms."""
GC_THRESHOLDS = (10_000, 50, 100)
"""Collections are for cycles, and a run leaves none behind: the usual 700 costs a run a twelfth of its time."""

log = logging.getLogger(__name__)


def local_actor() -> Actor:
    """Whoever runs the program: it is their machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid-{os.getuid()}"
    return Actor(user, ("system:masters",))


@dataclass(frozen=True, slots=True)
class Settings:
    """``data`` is the folder of the database; ``in_memory`` keeps it nowhere."""

    data: Path
    in_memory: bool = False


class Embedded:
    """Store, ledger, launcher and controllers of one process. ``start`` it, ``stop`` it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL)
        self.clock = clock or SystemClock()
        # Payloads and outputs are nobody else's business; a folder that was there keeps the rights it was given.
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.writer = Writer(":memory:" if settings.in_memory else settings.data / DATABASE)
        self.helper = HelperProcess()
        self.schemas = bundle.schemas()
        admission = embedded_admission(self.schemas)
        self.store = SqliteStore(self.writer, admission, self.clock, self._schema_of)
        self.ledger = SqliteLedger(self.writer, self.clock)
        parts = Parts(self.store, self.ledger, self.clock, DefinitionCompiler(self.helper), _launcher(settings))
        self.system = System(parts)
        self.journal = Journal(self.ledger)
        self._registry: CollectorRegistry | None = None

    def start(self) -> None:
        """Take in what is stored, go on with what was interrupted, then work."""
        self._subscription = follow(self.store, (*kinds.SLUICE_KINDS, kinds.EVENT), self.system.feed)
        self.system.recover()
        self.system.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)

    def stop(self) -> None:
        """Take up nothing more, let writes end, leave no process behind."""
        self._subscription.close()
        self.system.stop()
        self.helper.close()
        self.journal.close()
        self.store.close()
        self.writer.close()

    def acting_as(self, actor: Actor, origin: str = "") -> AuditedStore:
        """The store for writes by ``actor``, which are entered in the audit log."""
        return AuditedStore(self.store.acting_as(actor), actor, self.journal, origin)

    def registry(self) -> CollectorRegistry:
        """The metrics, made when they are first asked for."""
        if self._registry is None:
            from sluice.bootstrap.exposition import registry_of  # noqa: PLC0415 - only for those who scrape

            self._registry = registry_of(self.system, self.writer)
        return self._registry

    def ensure_environment(self, namespace: str) -> None:
        """A namespace without any Environment gets ``local``, a sandbox in which every workflow is Active."""
        if self.store.list(kinds.ENVIRONMENT, namespace, limit=1).items:
            return
        self.store.create(_LOCAL_ENVIRONMENT | {"metadata": {"name": "local", "namespace": namespace}})
        log.info("made Environment/local in namespace %s: a sandbox in which every workflow is Active", namespace)

    def ensure_namespace(self, namespace: str) -> None:
        """Make the namespace if it is not there."""
        try:
            self.store.get(Ref(kinds.NAMESPACE, "", namespace))
        except NotFound:
            self.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})

    def _schema_of(self, kind: KindInfo) -> Mapping[str, Any] | None:
        return self.schemas.get(kind.kind)


_LOCAL_ENVIRONMENT: Obj = {
    "apiVersion": kinds.API_VERSION,
    "kind": kinds.ENVIRONMENT.kind,
    "spec": {"type": "Sandbox", "defaultState": "Active", "description": "Runs are processes of this machine."},
}


def _launcher(settings: Settings) -> Callable[[SegmentSink], LocalLauncher]:
    scratch = settings.data.resolve() / "scratch"  # workers change their folder, so a relative path would lead astray
    scratch.mkdir(parents=True, exist_ok=True)
    return lambda sink: LocalLauncher(sink, scratch=scratch)
