"""Kubernetes' protobuf bodies for the few types that kubectl sends so and in no other way.

``kubectl create configmap|secret|namespace``, ``auth can-i`` and ``auth whoami`` post protobuf and don't fall back to
JSON. Field numbers are those of Kubernetes' published ``generated.proto`` files.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sluice.http.kubernetes.errors import bad_request
from sluice.ports.store import Obj

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"

Wire = Literal["string", "raw", "bool", "map", "bytes map", "message"]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    wire: Wire = "string"
    repeated: bool = False
    message: Mapping[int, _Field] = field(default_factory=dict)


def _message(name: str, fields: Mapping[int, _Field], *, repeated: bool = False) -> _Field:
    return _Field(name, "message", repeated, fields)


_OWNER = {
    1: _Field("kind"),
    3: _Field("name"),
    4: _Field("uid"),
    5: _Field("apiVersion"),
    6: _Field("controller", "bool"),
    7: _Field("blockOwnerDeletion", "bool"),
}
_METADATA = _message(
    "metadata",
    {
        1: _Field("name"),
        2: _Field("generateName"),
        3: _Field("namespace"),
        5: _Field("uid"),
        6: _Field("resourceVersion"),
        11: _Field("labels", "map"),
        12: _Field("annotations", "map"),
        13: _message("ownerReferences", _OWNER, repeated=True),
        14: _Field("finalizers", repeated=True),
    },
)
_RESOURCE = _message(
    "resourceAttributes",
    {
        1: _Field("namespace"),
        2: _Field("verb"),
        3: _Field("group"),
        4: _Field("version"),
        5: _Field("resource"),
        6: _Field("subresource"),
        7: _Field("name"),
    },
)
_PATH = _message("nonResourceAttributes", {1: _Field("path"), 2: _Field("verb")})

_KINDS: dict[tuple[str, str], dict[int, _Field]] = {
    ("v1", "Namespace"): {1: _METADATA, 2: _message("spec", {1: _Field("finalizers", repeated=True)})},
    ("v1", "ConfigMap"): {
        1: _METADATA,
        2: _Field("data", "map"),
        3: _Field("binaryData", "bytes map"),
        4: _Field("immutable", "bool"),
    },
    ("v1", "Secret"): {
        1: _METADATA,
        2: _Field("data", "bytes map"),
        3: _Field("type"),
        4: _Field("stringData", "map"),
        5: _Field("immutable", "bool"),
    },
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): {
        1: _METADATA,
        2: _message("spec", {1: _RESOURCE, 2: _PATH}),
    },
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview"): {
        1: _METADATA,
        2: _message("spec", {1: _Field("namespace")}),
    },
    ("authentication.k8s.io/v1", "SelfSubjectReview"): {1: _METADATA},
}

_ENVELOPE = {1: _message("typeMeta", {1: _Field("apiVersion"), 2: _Field("kind")}), 2: _Field("raw", "raw")}


def decode(body: bytes) -> Obj:
    """The object in ``body`` as JSON would have it; 400 for what is no such object or of a type not known here."""
    if not body.startswith(MAGIC):
        raise bad_request("the protobuf body does not begin with the marker k8s\\0; send JSON instead")
    try:
        envelope = _read(memoryview(body)[len(MAGIC) :], _ENVELOPE)
        meta = envelope.get("typeMeta", {})
        api_version, kind = meta.get("apiVersion", ""), meta.get("kind", "")
        fields = _KINDS.get((api_version, kind))
        if fields is None:
            raise bad_request(f'protobuf of kind "{kind}" in "{api_version}" is not read here; send JSON instead')
        return {"apiVersion": api_version, "kind": kind, **_read(envelope.get("raw", memoryview(b"")), fields)}
    except (IndexError, ValueError) as error:
        raise bad_request(f"the protobuf body is damaged: {error}") from error


def _read(data: memoryview, fields: Mapping[int, _Field]) -> dict[str, Any]:
    """One message; fields that are not listed are passed over, empty strings are left out as in Go's JSON."""
    read: dict[str, Any] = {}
    for number, value in _pairs(data):
        known = fields.get(number)
        if known is None:
            continue
        if isinstance(value, int) is not (known.wire == "bool"):
            raise ValueError(f"{known.name} has the wrong wire type")
        if known.wire in {"map", "bytes map"}:
            key, entry = _entry(value, as_bytes=known.wire == "bytes map")
            read.setdefault(known.name, {})[key] = entry
            continue
        decoded = _value(known, value)
        if known.repeated:
            read.setdefault(known.name, []).append(decoded)
        elif decoded != "":
            read[known.name] = decoded
    return read


def _value(known: _Field, value: Any) -> Any:
    if known.wire == "message":
        return _read(value, known.message)
    if known.wire == "bool":
        return bool(value)
    return value if known.wire == "raw" else bytes(value).decode()


def _entry(data: memoryview, *, as_bytes: bool) -> tuple[str, str]:
    entry = dict(_pairs(data))
    if any(isinstance(each, int) for each in entry.values()):
        raise ValueError("a map has an entry that is no text")
    value = bytes(entry.get(2, b""))
    return bytes(entry.get(1, b"")).decode(), base64.b64encode(value).decode() if as_bytes else value.decode()


def _pairs(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Field numbers with their values: integers for varints, slices for everything with a length."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("it ends in the middle of a field")
            yield tag >> 3, data[at : at + length]
            at += length
        else:
            raise ValueError(f"wire type {tag & 7} is not used by these types")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
