"""The controller's own certificate authority, kept in a Secret: so that runners and the API server know whom they talk to.

Any replica makes or renews what is due, leader or not; of several that do so at once one succeeds, and the others take
what it made. Nothing of somebody else's is ever overwritten.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sluice.adapters.kubernetes.issuing import validity_of
from sluice.adapters.kubernetes.keyring import (
    AUTHORITIES,
    SERVING,
    SERVING_KEY,
    Keyring,
    brought_up,
    data_of,
    read_keyring,
)
from sluice.adapters.kubernetes.leases import MANAGED_BY
from sluice.api.kinds import SECRET
from sluice.ports.clock import Clock, SystemClock
from sluice.ports.errors import AlreadyExists, Conflict, Invalid, NotFound
from sluice.ports.store import Obj, Ref, Store

NAME: Final = "sluice-controller-tls"
TYPE: Final = "kubernetes.io/tls"
REFRESH: Final = dt.timedelta(minutes=10)
"""How often a replica looks whether another one renewed something; far less than anything takes to expire."""
_ATTEMPTS: Final = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a server shows, and what its clients trust: all PEM. ``refresh_by`` is when to ask for them again."""

    authorities: str
    """One or several, the newest first: for what runners are told and ``caBundle``."""
    serving: bytes
    key: bytes = field(repr=False)
    ends: dt.datetime
    """When ``serving`` is over; it is renewed a month before."""
    refresh_by: dt.datetime


class Authority:
    """The certificates of the controller in one namespace. ``store`` must be free to write whoever leads; ``names`` are
    those that a certificate must be for, the Service's unless given."""

    def __init__(self, store: Store, namespace: str, *, names: Sequence[str] = (), clock: Clock | None = None) -> None:
        self._store = store
        self._ref = Ref(SECRET, namespace, NAME)
        self._names = tuple(names) or server_names(namespace)
        self._clock = clock or SystemClock()

    def refresh(self) -> Certificates:
        """What is to be used now: as another replica left it, or with what is due, which is made and stored first.

        AlreadyExists when the Secret is somebody else's, Invalid when it can't hold certificates: both say what to do,
        and nothing was written. What the store raises: go on with what you have, and ask again.
        """
        for _ in range(_ATTEMPTS):
            secret = self._found()
            now = self._clock.now()
            held = self._read(secret) if secret is not None else Keyring()
            wanted = brought_up(held, self._names, now)
            if wanted is held:
                return self._certificates(held, now)
            for fault in held.faults:
                log.warning("the Secret %s/%s: %s; it is made anew", self._ref.namespace, NAME, fault)
            try:
                self._write(secret, wanted)
            except (AlreadyExists, Conflict, NotFound):
                continue  # another replica was faster
            log.info("the certificates in the Secret %s/%s were renewed", self._ref.namespace, NAME)
            return self._certificates(wanted, now)
        raise Conflict(f"the Secret {self._ref.namespace}/{NAME} changes all the time; nothing was written")

    def _found(self) -> Obj | None:
        try:
            return self._store.get(self._ref)
        except NotFound:
            return None

    def _read(self, secret: Obj) -> Keyring:
        """What the Secret holds. The two errors that ``refresh`` tells of."""
        what = f"the Secret {self._ref.namespace}/{NAME}"
        remedy = f"kubectl delete secret --namespace {self._ref.namespace} {NAME}"
        labels = (secret["metadata"].get("labels") or {}).items()
        if not MANAGED_BY.items() <= labels:
            raise AlreadyExists(
                f"{what} is not the controller's: it has no label app.kubernetes.io/managed-by=sluice. Nothing was "
                f"changed. Keep elsewhere what is in it, then: {remedy}; the controller makes one of its own"
            )
        if secret.get("type") != TYPE or secret.get("immutable"):
            is_now = "immutable" if secret.get("immutable") else f"of type {secret.get('type', 'Opaque')}"
            raise Invalid(f"{what} is {is_now}, so no certificates of type {TYPE} can be kept there: {remedy}")
        return read_keyring(_decoded(secret.get("data") or {}), self._names)

    def _write(self, secret: Obj | None, keyring: Keyring) -> None:
        data = {key: base64.b64encode(value).decode() for key, value in data_of(keyring).items()}
        if secret is not None:
            self._store.update({**secret, "data": {**(secret.get("data") or {}), **data}})
            return
        metadata = {"namespace": self._ref.namespace, "name": NAME, "labels": dict(MANAGED_BY)}
        self._store.create(
            {"apiVersion": SECRET.api_version, "kind": SECRET.kind, "metadata": metadata, "type": TYPE, "data": data}
        )

    def _certificates(self, keyring: Keyring, now: dt.datetime) -> Certificates:
        data = data_of(keyring)
        ends = validity_of(keyring.serving.certificate).ends if keyring.serving else now
        by = min(now + REFRESH, keyring.plan(now).next)
        return Certificates(data[AUTHORITIES].decode(), data[SERVING], data[SERVING_KEY], ends, by)


def server_names(namespace: str) -> tuple[str, ...]:
    """What the controller is called: as its Service in that namespace, from near and far."""
    service = "sluice-controller"
    return (
        f"{service}.{namespace}.svc",
        f"{service}.{namespace}.svc.cluster.local",
        f"{service}.{namespace}",
        service,
    )


def _decoded(data: dict[str, str]) -> dict[str, bytes]:
    """Values that are no base64 are as good as none."""
    made = {}
    for key, value in data.items():
        try:
            made[key] = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            made[key] = b""
    return made
