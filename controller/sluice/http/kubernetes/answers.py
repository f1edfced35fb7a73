"""HTTP answers: JSON of objects, encoded ones among them."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from starlette.responses import Response

from sluice.http.kubernetes.errors import Refused, status_body
from sluice.http.kubernetes.negotiation import JSON
from sluice.ports.store import Obj

_AGENT = "299 - "
MAX_WARNING = 256
"""Letters of one warning."""


def answer(body: Obj | bytes, *, code: int = 200, warnings: Iterable[str] = (), media_type: str = JSON) -> Response:
    """A JSON answer; each warning becomes a ``Warning`` header, which kubectl prints."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    response = Response(content, code, media_type=media_type)
    for warning in warnings:
        response.headers.append("warning", f'{_AGENT}"{_quoted(warning)}"')
    return response


def _quoted(text: str) -> str:
    """``text`` as it may stand in a header: it names fields that a client made up, line ends among them."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text[:MAX_WARNING])
    return plain.replace("\\", "\\\\").replace('"', '\\"')


def refusal(refused: Refused) -> Response:
    """The ``Status`` that says why not."""
    response = answer(status_body(refused), code=refused.code)
    response.headers.update(refused.headers)
    return response
