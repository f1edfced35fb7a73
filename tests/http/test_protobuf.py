"""The few bodies that kubectl sends as protobuf."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.http.kubernetes.errors import Refused
from sluice.http.kubernetes.protobuf import decode
from tests.http.client import Client
from tests.http.places import NAMESPACES, PROTOBUF
from tests.http.wire import entry, envelope, part


def test_a_secret_has_its_data_in_base64() -> None:
    metadata = part(1, "s") + part(3, "default") + entry(11, "team", "a") + part(14, "hold") + part(14, "hold2")
    raw = part(1, metadata) + entry(2, "token", b"\x00\xff") + part(3, "Opaque") + part(5, 1)

    assert decode(envelope("v1", "Secret", raw)) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "default", "labels": {"team": "a"}, "finalizers": ["hold", "hold2"]},
        "data": {"token": "AP8="},
        "type": "Opaque",
        "immutable": True,
    }


def test_an_access_review_names_what_is_asked() -> None:
    asked = part(1, "default") + part(2, "get") + part(3, "sluice.dev") + part(5, "workflows")
    read = decode(envelope("authorization.k8s.io/v1", "SelfSubjectAccessReview", part(2, part(1, asked))))

    assert read["spec"]["resourceAttributes"] == {
        "namespace": "default",
        "verb": "get",
        "group": "sluice.dev",
        "resource": "workflows",
    }


def test_a_namespace_is_created_from_protobuf(client: Client) -> None:
    body = envelope("v1", "Namespace", part(1, part(1, "team") + part(8, b"")) + part(2, b"") + part(3, b""))
    response = client.post(NAMESPACES, content=body, headers=PROTOBUF)

    assert (response.status_code, response.json()["metadata"]["name"]) == (201, "team")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "does not begin with the marker"),
        (envelope("v1", "Pod", b""), 'protobuf of kind "Pod"'),
        (envelope("v1", "Secret", part(1, "x" * 300)[:20]), "damaged"),
        (b"k8s\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "damaged"),
        (b"k8s\x00\x0d", "damaged"),
        (envelope("v1", "Secret", part(1, 1 << 60)), "metadata has the wrong wire type"),
        (envelope("v1", "Secret", part(2, part(1, 1 << 60))), "damaged"),
        (envelope("v1", "Secret", part(5, "yes")), "immutable has the wrong wire type"),
    ],
)
def test_what_is_no_such_object_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(Refused, match=message):
        decode(body)


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_a_refusal(noise: bytes) -> None:
    for body in (envelope("v1", "ConfigMap", noise), b"k8s\x00" + noise):
        try:
            read = decode(body)
        except Refused:
            continue
        assert read["kind"] == "ConfigMap"


@given(st.dictionaries(st.text(min_size=1), st.text()), st.text(min_size=1))
def test_a_config_map_is_read_as_it_was_written(data: dict[str, str], name: str) -> None:
    raw = part(1, part(1, name)) + b"".join(entry(2, key, value) for key, value in data.items())

    assert decode(envelope("v1", "ConfigMap", raw)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        **({"data": data} if data else {}),
    }
