"""A Secret with certificates, and the replicas that share it."""

from __future__ import annotations

import base64

from cryptography import x509

from sluice.adapters.kubernetes.authority import NAME, Authority, Certificates
from sluice.adapters.kubernetes.issuing import read_certificates
from sluice.api.kinds import SECRET
from sluice.ports.store import Obj, Ref, Store
from tests.adapters.sqlite.stores import HandClock, Opened

REF = Ref(SECRET, "default", NAME)
LABELS = {"app.kubernetes.io/managed-by": "sluice"}


class Place:
    """A store, a clock, and as many replicas as a test wants."""

    def __init__(self, opened: Opened) -> None:
        self.store = opened.store
        self.clock: HandClock = opened.clock

    def replica(self, store: Store | None = None) -> Authority:
        return Authority(store or self.store, "default", clock=self.clock)

    @property
    def secret(self) -> Obj:
        return self.store.get(REF)

    def spoil(self, **data: str | None) -> None:
        """Change values of the Secret; ``ca_key`` is ``ca.key``."""
        self.store.patch(REF, {"data": {key.replace("_", "."): value for key, value in data.items()}})


def leaf(certificates: Certificates) -> x509.Certificate:
    (made,) = read_certificates(certificates.serving)
    return made


def roots(certificates: Certificates) -> tuple[x509.Certificate, ...]:
    return read_certificates(certificates.authorities.encode())


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()
