"""HTTP answers: JSON of objects, encoded ones among them."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from starlette.responses import Response

from sluice.http.kubernetes.errors import Refused, status_body
from sluice.http.kubernetes.negotiation import JSON
from sluice.ports.store import Obj

_AGENT = "299 - "


def answer(body: Obj | bytes, *, code: int = 200, warnings: Iterable[str] = (), media_type: str = JSON) -> Response:
    """A JSON answer; each warning becomes a ``Warning`` header, which kubectl prints."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    response = Response(content, code, media_type=media_type)
    for warning in warnings:
        escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.append("warning", f'{_AGENT}"{escaped}"')
    return response


def refusal(refused: Refused) -> Response:
    """The ``Status`` that says why not."""
    response = answer(status_body(refused), code=refused.code)
    response.headers.update(refused.headers)
    return response
