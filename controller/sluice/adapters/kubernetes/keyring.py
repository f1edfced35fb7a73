"""The controller's certificates as values: what of them is sound, and what they are once all that is due was made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from sluice.adapters.kubernetes.issuing import (
    Pair,
    is_issued_by,
    key_pem_of,
    names_of,
    new_authority,
    new_serving,
    pem_of,
    read_certificates,
    read_pair,
    validity_of,
)
from sluice.domain.certificates import (
    Due,
    Plan,
    authority_validity,
    plan,
    renewal,
    serving_validity,
    signs_once_more,
)

AUTHORITIES: Final = "ca.crt"
AUTHORITY_KEY: Final = "ca.key"
SERVING: Final = "tls.crt"
SERVING_KEY: Final = "tls.key"
"""Where each is in a Secret."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """What is sound of the controller's certificates; ``faults`` says what else there was.

    ``authorities`` are all that may have signed what is served, the newest first; only that one has its key still, as
    ``signing``.
    """

    authorities: tuple[x509.Certificate, ...] = ()
    signing: Pair | None = None
    serving: Pair | None = None
    faults: tuple[str, ...] = ()

    def plan(self, now: dt.datetime) -> Plan:
        """What is due."""
        authority = validity_of(self.signing.certificate) if self.signing else None
        return plan(authority, validity_of(self.serving.certificate) if self.serving else None, now)


def read_keyring(data: Mapping[str, bytes], names: Sequence[str]) -> Keyring:
    """What the values of a Secret are worth to a server of these names."""
    faults: list[str] = []
    authorities: tuple[x509.Certificate, ...] = ()
    signing = serving = None
    try:
        authorities = read_certificates(data.get(AUTHORITIES, b""))
        signing = read_pair(authorities[0], data.get(AUTHORITY_KEY, b""))
    except ValueError as error:
        faults.append(f"{AUTHORITY_KEY if authorities else AUTHORITIES}: {error}")
    try:
        certificate = read_certificates(data.get(SERVING, b""))[0]
        serving = _checked(read_pair(certificate, data.get(SERVING_KEY, b"")), authorities, names)
    except ValueError as error:
        faults.append(f"{SERVING} and {SERVING_KEY}: {error}")
    return Keyring(authorities, signing, serving, tuple(faults))


def brought_up(keyring: Keyring, names: Sequence[str], now: dt.datetime) -> Keyring:
    """The keyring with what is due. Authorities whose time is over are left out, faults are forgotten."""
    due = keyring.plan(now).due
    if due == Due.NOTHING:
        return keyring
    kept = tuple(one for one in keyring.authorities if validity_of(one).ends > now)
    old, serving = keyring.signing, keyring.serving
    if due == Due.SERVING and old is not None:
        return Keyring(kept, old, _serving_by(old, names, now))
    made = new_authority(authority_validity(now))
    if old is not None and signs_once_more(validity_of(old.certificate), now):
        serving = _serving_by(old, names, now)
    elif old is not None or serving is None or now >= renewal(validity_of(serving.certificate)):
        serving = _serving_by(made, names, now)
    return Keyring((made.certificate, *kept), made, serving)


def data_of(keyring: Keyring) -> dict[str, bytes]:
    """The values of a Secret that holds a whole keyring."""
    if keyring.signing is None or keyring.serving is None:
        raise ValueError("the keyring is not whole; bring it up first")
    return {
        AUTHORITIES: pem_of(*keyring.authorities),
        AUTHORITY_KEY: key_pem_of(keyring.signing),
        SERVING: pem_of(keyring.serving.certificate),
        SERVING_KEY: key_pem_of(keyring.serving),
    }


def _serving_by(authority: Pair, names: Sequence[str], now: dt.datetime) -> Pair:
    return new_serving(authority, names, serving_validity(validity_of(authority.certificate), now))


def _checked(serving: Pair, authorities: Sequence[x509.Certificate], names: Sequence[str]) -> Pair:
    """It may be for more names: another release, which runs beside this one for a while, may have others."""
    missing = set(names) - names_of(serving.certificate)
    if missing:
        raise ValueError(f"the certificate is not for {', '.join(sorted(missing))}")
    if not any(is_issued_by(serving.certificate, authority) for authority in authorities):
        raise ValueError(f"the certificate is by none of {AUTHORITIES}")
    return serving
