"""All clusters that segments are launched on: the controller's own, and others that workspaces have kubeconfigs of.

A connection is opened by whoever needs it first, and talks to its cluster when it is used: opening one waits for nobody
there. Whose Secret changes gets another connection; the old one is dropped with its watch.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sluice.adapters.kubernetes.credentials import Credentials
from sluice.adapters.kubernetes.launching.clusters import HOME, Cluster, ClusterKey, key_of
from sluice.adapters.kubernetes.launching.connections import Connection
from sluice.adapters.kubernetes.launching.kubeconfigs import InlineCredentials, read_kubeconfig
from sluice.adapters.kubernetes.periodic import Periodic
from sluice.api.kinds import SECRET
from sluice.api.reasons import Reason
from sluice.domain.launching.kubeconfig import Kubeconfig, Unusable
from sluice.domain.launching.placement import Placement
from sluice.ports.errors import Forbidden, NotFound, PortError
from sluice.ports.launcher import LaunchRefused
from sluice.ports.store import Obj, Ref, Store

LOOK_S: Final = 60.0
"""How often Secrets are looked at although nobody asks."""
FRESH_S: Final = 5.0
"""What was seen of a Secret so recently counts for a launch."""
UNNAMED: Final = 2
"""Looks in a row at which nobody needed a cluster, until its connection is closed."""

_ACCOUNT = re.compile(r'User "system:serviceaccount:([^:"]+:[^:"]+)"')
"""How an API server names whom it refused something."""

Connect = Callable[[ClusterKey, Credentials], Connection]

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Entry:
    """One other cluster. ``refusal`` says why nothing may be launched there now; what was launched is still looked after."""

    key: ClusterKey
    lock: threading.Lock = field(default_factory=threading.Lock)
    connection: Connection | None = None
    kubeconfig: Kubeconfig | None = None
    seen: tuple[str, str] = ("", "")
    """Uid and resource version of the Secret."""
    looked: float | None = None
    refusal: tuple[Reason, str] | None = None
    unnamed: int = 0


class Clusters:
    """Finds the cluster of a placement. Any thread may ask."""

    def __init__(
        self,
        home: Cluster,
        secrets: Store,
        connect: Connect,
        needed: Callable[[], Iterable[ClusterKey]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``secrets`` is the home cluster's store; ``needed`` names the clusters that somebody still has use for."""
        self._home = home
        self._secrets = secrets
        self._connect = connect
        self._needed = needed
        self._monotonic = monotonic
        self._entries: dict[ClusterKey, _Entry] = {}
        self._lock = threading.Lock()
        self._thread = Periodic("clusters", self.look, LOOK_S, rest_s=FRESH_S)

    def start(self) -> None:
        """Start to look at Secrets now and then."""
        self._thread.start()

    def close(self) -> None:
        """Close all connections but the home cluster's. Safe to call twice."""
        self._thread.close()
        with self._lock:
            entries = list(self._entries.values())
            self._entries.clear()
        for entry in entries:
            self._drop(entry)

    def of(self, placement: Placement) -> Cluster:
        """The cluster, to look after what is there. LaunchRefused where there never was a usable kubeconfig of it."""
        key = key_of(placement)
        if key == HOME:
            return self._home
        connection = self._entry(key).connection
        return connection.cluster if connection is not None else self.usable(placement)

    def usable(self, placement: Placement, *, anew: bool = False) -> Cluster:
        """The cluster, to launch something there: by the Secret as it is now, give or take seconds unless ``anew``.

        LaunchRefused when it has no usable kubeconfig (any more); what the home cluster's store raises when that is away.
        """
        key = key_of(placement)
        if key == HOME:
            return self._home
        entry = self._entry(key)
        with entry.lock:
            if anew or entry.looked is None or self._monotonic() - entry.looked >= FRESH_S:
                self._look(entry)
            if entry.refusal is not None or entry.connection is None:
                raise LaunchRefused(*(entry.refusal or (Reason.KUBECONFIG_UNUSABLE, "the controller is stopping")))
            return entry.connection.cluster

    def standing(self) -> list[tuple[ClusterKey, bool]]:
        """Each other cluster that is needed, and whether runs can be launched there: it may be used, and answered last."""
        with self._lock:
            entries = list(self._entries.values())
        return [(entry.key, entry.refusal is None and _answers(entry.connection)) for entry in entries]

    def look(self) -> None:
        """Look at the Secrets of all open clusters, and close what nobody needs."""
        needed = set(self._needed())
        with self._lock:
            entries = list(self._entries.values())
        for entry in entries:
            entry.unnamed = 0 if entry.key in needed else entry.unnamed + 1
            if entry.unnamed >= UNNAMED:
                with self._lock:
                    self._entries.pop(entry.key, None)
                self._drop(entry)
                continue
            try:
                with entry.lock:
                    self._look(entry)
            except PortError as error:
                log.warning("%s can't be looked at: %s", _secret(entry.key), error)

    def _entry(self, key: ClusterKey) -> _Entry:
        with self._lock:
            return self._entries.setdefault(key, _Entry(key))

    # -- one entry, under its lock ----------------------------------------------------------------------------------
    def _look(self, entry: _Entry) -> None:
        """Learn what the Secret says now; what can't be learned raises, and changes nothing."""
        try:
            secret = self._secrets.get(Ref(SECRET, entry.key.workspace, entry.key.secret))
        except NotFound:
            self._refuse(entry, _missing(entry.key))
        except Forbidden as error:
            self._refuse(entry, _unreadable(entry.key, error))
        else:
            metadata = secret["metadata"]
            seen = (metadata["uid"], metadata["resourceVersion"])
            if seen != entry.seen:
                self._take(entry, secret)
                entry.seen = seen
        entry.looked = self._monotonic()

    def _refuse(self, entry: _Entry, message: str) -> None:
        if entry.refusal is None and entry.connection is not None:
            log.warning("nothing more is launched there: %s", message)
        entry.refusal = (Reason.KUBECONFIG_UNUSABLE, message)
        entry.seen = ("", "")

    def _take(self, entry: _Entry, secret: Obj) -> None:
        """Go by what the Secret holds: connect anew unless it holds the same."""
        try:
            kubeconfig = read_kubeconfig(secret, entry.key.context)
            if kubeconfig != entry.kubeconfig or entry.connection is None:
                self._reconnect(entry, kubeconfig)
        except ValueError as error:
            field = f"{error.field} " if isinstance(error, Unusable) and error.field else ""
            self._refuse(entry, f"the kubeconfig in {_secret(entry.key)}: {field}{error}")
        else:
            entry.refusal = None

    def _reconnect(self, entry: _Entry, kubeconfig: Kubeconfig) -> None:
        """Before the old connection is dropped the new one is there: whoever asks meanwhile gets one that works."""
        connection = self._connect(entry.key, InlineCredentials(kubeconfig, refused=self._thread.wake))
        log.info("connecting to %s, by %s", kubeconfig.server, _secret(entry.key))
        before, entry.connection, entry.kubeconfig = entry.connection, connection, kubeconfig
        if before is not None:
            before.close()
        connection.start()

    def _drop(self, entry: _Entry) -> None:
        with entry.lock:
            before, entry.connection, entry.kubeconfig, entry.seen = entry.connection, None, None, ("", "")
            entry.looked = None
        if before is not None:
            log.info("the connection by %s is closed", _secret(entry.key))
            before.close()


def keys_of(environments: Iterable[Obj]) -> Iterable[ClusterKey]:
    """The other clusters that environments name."""
    for environment in environments:
        cluster = environment["spec"].get("cluster")
        if cluster:
            workspace = environment["metadata"]["namespace"]
            yield ClusterKey(workspace, cluster["kubeconfigSecret"], cluster.get("context") or "")


def _answers(connection: Connection | None) -> bool:
    return connection is not None and not connection.is_away


def _secret(key: ClusterKey) -> str:
    return f"Secret {key.secret} in namespace {key.workspace}"


def _missing(key: ClusterKey) -> str:
    how = f"kubectl create secret generic {key.secret} -n {key.workspace} --from-file=kubeconfig=FILE"
    return f"spec.cluster.kubeconfigSecret: there is no {_secret(key)}; make it: {how}"


def _unreadable(key: ClusterKey, error: Forbidden) -> str:
    """The controller reads no Secrets but those that a workspace lends it by name."""
    role, named = f"sluice-kubeconfig-{key.secret}", _ACCOUNT.search(str(error))
    account = named[1] if named else "sluice-system:sluice-controller"
    how = (
        f"kubectl create role {role} -n {key.workspace} --verb=get --resource=secrets --resource-name={key.secret} && "
        f"kubectl create rolebinding {role} -n {key.workspace} --role={role} "
        f"--serviceaccount={account}"
    )
    return f"the controller may not read {_secret(key)} ({error}); whoever owns {key.workspace} can allow it: {how}"
