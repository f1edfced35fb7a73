"""The authority that the API server is to trust when it asks the webhook."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sluice.adapters.kubernetes.credentials import Token
from sluice.adapters.kubernetes.transport import Transport
from sluice.adapters.kubernetes.webhook import inject
from sluice.ports.errors import Forbidden
from tests.adapters.kubernetes.scripted import Answer, Scripted, refused, scripted

OLD, NEW = "old authority", "new authority"
PATH = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/sluice-validation"


def encoded(authority: str) -> str:
    return base64.b64encode(authority.encode()).decode()


def trusting(**authorities: str) -> Answer:
    """A configuration whose webhooks trust these; an empty one stands for none."""
    webhooks = [
        {"name": name, "clientConfig": {"caBundle": encoded(authority)} if authority else {"service": {"name": "x"}}}
        for name, authority in authorities.items()
    ]
    return Answer(body={"kind": "ValidatingWebhookConfiguration", "webhooks": webhooks})


@contextmanager
def opened(*answers: Answer) -> Iterator[tuple[Transport, Scripted]]:
    with scripted(*answers) as server:
        transport = Transport(Token(server.url, "secret"))
        try:
            yield transport, server
        finally:
            transport.close()


def test_only_the_webhooks_that_trust_another_are_changed_and_nothing_but_that() -> None:
    with opened(trusting(a=OLD, b=NEW, c=""), Answer()) as (transport, server):
        assert inject(transport, NEW) is True
    read, written = server.asked
    assert (read.method, read.path, written.method, written.path) == ("GET", PATH, "PATCH", PATH)
    assert written.headers["content-type"] == "application/strategic-merge-patch+json"
    config = {"caBundle": encoded(NEW)}
    assert json.loads(written.body) == {
        "webhooks": [{"name": "a", "clientConfig": config}, {"name": "c", "clientConfig": config}]
    }


def test_what_is_trusted_already_is_not_written() -> None:
    with opened(trusting(a=NEW)) as (transport, server):
        assert inject(transport, NEW) is False
    assert [asked.method for asked in server.asked] == ["GET"]


@pytest.mark.parametrize("answers", [(refused(404, "NotFound"),), (trusting(a=OLD), refused(404, "NotFound"))])
def test_a_configuration_that_is_not_there_or_goes_meanwhile_is_nobodys_loss(answers: tuple[Answer, ...]) -> None:
    with opened(*answers) as (transport, _):
        assert inject(transport, NEW) is False


def test_a_refusal_is_told() -> None:
    with opened(trusting(a=OLD), refused(403, "Forbidden")) as (transport, _), pytest.raises(Forbidden):
        inject(transport, NEW)
