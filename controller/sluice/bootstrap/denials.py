"""Requests that were refused for who sent them, in the audit log."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from sluice.bootstrap.auditing import DENIED
from sluice.bootstrap.journal import Journal
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.errors import Refused
from sluice.http.origin import Denial

ANONYMOUS = "system:anonymous"
PATH_LIMIT = 512


def enter_denial(journal: Journal, access: Access, denial: Denial) -> None:
    """Write down that a request was refused, and whose it is as far as that is known."""
    try:
        actor = access.actor_of(HTTPConnection(denial.scope)).user
    except Refused:
        actor = ANONYMOUS
    asked = f"{denial.scope['method']} {denial.scope['path'][:PATH_LIMIT]}"
    journal.enter(actor, DENIED, ("", asked), {"status": denial.status, "from": denial.origin}, urgent=False)
