"""Request bodies: read up to the limit, decoded from JSON, YAML or protobuf, with duplicate fields named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from sluice.http.kubernetes import protobuf
from sluice.http.kubernetes.errors import Refused, bad_request, too_large, unsupported_media_type

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_BODY = 3 * 1024 * 1024
"""Bytes of a request body, as a kube-apiserver has it."""

JSON_TYPE = "application/json"
YAML_TYPE = "application/yaml"
OBJECT_TYPES = f"{JSON_TYPE}, {YAML_TYPE}, {protobuf.MEDIA_TYPE}"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded body; ``duplicates`` are the fields given more than once, as ``duplicate field "a.b"``."""

    content: Any
    duplicates: tuple[str, ...] = ()


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The whole body; 413 as soon as it is known to be over the limit."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def media_type_of(request: Request) -> str:
    """The media type of the body without parameters; JSON when the client does not say."""
    return request.headers.get("content-type", JSON_TYPE).partition(";")[0].strip().lower()


def decode(body: bytes, media_type: str, *, find_duplicates: bool = False) -> Decoded:
    """An object as ``media_type`` spells it."""
    if media_type == protobuf.MEDIA_TYPE:
        return Decoded(protobuf.decode(body))
    if media_type == YAML_TYPE:
        return decode_yaml(body, find_duplicates=find_duplicates)
    if media_type == JSON_TYPE:
        return decode_json(body, find_duplicates=find_duplicates)
    raise unsupported_media_type(OBJECT_TYPES)


def decode_json(body: bytes, *, find_duplicates: bool = False) -> Decoded:
    """JSON; 400 with line and column where it is none."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"invalid JSON: {error}") from error
    return Decoded(content, duplicate_fields(body) if find_duplicates else ())


def decode_yaml(body: bytes, *, find_duplicates: bool = False) -> Decoded:
    """YAML 1.1 as kubectl reads it; JSON is YAML too and is read as JSON, which is a hundred times faster."""
    if body.lstrip()[:1] in {b"{", b"["}:
        try:
            return decode_json(body, find_duplicates=find_duplicates)
        except Refused:
            pass  # flow style that is no JSON
    from sluice.http.kubernetes.manifests import read_manifest  # noqa: PLC0415  (PyYAML only when somebody sends YAML)

    content, duplicates = read_manifest(body)
    return Decoded(content, duplicates if find_duplicates else ())


class _Doubled(dict[str, Any]):
    """A JSON object in which ``names`` occurred more than once."""

    names: tuple[str, ...] = ()


def duplicate_fields(body: bytes) -> tuple[str, ...]:
    """Every field that a JSON document gives twice, by its path."""

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = _Doubled(pairs)
        if len(made) < len(pairs):
            seen: set[str] = set()
            made.names = tuple(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return made

    found: list[str] = []
    pending: list[tuple[str, Any]] = [("", json.loads(body, object_pairs_hook=note))]
    while pending:
        path, value = pending.pop()
        if isinstance(value, list):
            pending.extend((f"{path}[{index}]", item) for index, item in enumerate(value))
        elif isinstance(value, _Doubled):
            prefix = f"{path}." if path else ""
            found.extend(f'duplicate field "{prefix}{name}"' for name in dict.fromkeys(value.names))
            pending.extend((f"{prefix}{key}", item) for key, item in value.items())
    return tuple(found)
