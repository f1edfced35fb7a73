"""http steps: one request, its answer as the output ``{status, headers, body}``.

Sends the step's ``Idempotency-Key``, so that a repeat after a crash can be told from a second request. Redirects are
followed up to five times while the scheme stays; an answer over 1 MiB is refused. httpx is imported on first use.
"""

from __future__ import annotations

import http.cookiejar
import re
import threading
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from sluice.steps.outcome import (
    HTTP_STATUS,
    HTTP_UNREACHABLE,
    INVALID_INPUT,
    TIMED_OUT,
    Body,
    Failure,
    check_size,
    encode_output,
    failed,
    succeeded,
)

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 5
KEPT_HEADERS = (
    "content-type", "content-length", "date", "etag", "last-modified", "link", "location", "retry-after", "x-request-id"
)  # fmt: skip
"""The headers of an answer that are part of the output."""
_CONNECT_SECONDS = 30.0
_QUOTED = 500
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAK = re.compile(r"[\r\n\0]")


def request(fields: Mapping[str, Any], *, key: str, seconds: float) -> Body:
    """Send it and give the body of the step's end. ``fields`` are the step's own, templates resolved; ``key`` is the
    idempotency key; ``seconds`` is what remains of the attempt. Never raises an Exception.
    """
    try:
        return _Exchange(fields, key, time.monotonic() + seconds).run()
    except Failure as failure:
        return failed(failure.reason, failure.message, **failure.more)


class _Exchange:
    """One attempt: the request, its redirects, its answer."""

    def __init__(self, fields: Mapping[str, Any], key: str, deadline: float) -> None:
        self._fields = fields
        self._key = key
        self._deadline = deadline
        self._name = str(fields.get("method") or "GET")

    def run(self) -> Body:
        import httpx  # noqa: PLC0415 - 100 ms, and only where there is an http step

        try:
            outgoing = self._request()
            self._name = f"{self._name} {_shown(outgoing.url)}"
            for _ in range(MAX_REDIRECTS + 1):
                response = _client().send(outgoing, stream=True)
                following = self._next(outgoing, response)
                if following is None:
                    return self._answer(response)
                outgoing = following
            raise Failure(HTTP_UNREACHABLE, f"{self._name} was redirected more than {MAX_REDIRECTS} times")
        except httpx.TimeoutException as error:
            raise self._too_late(error) from error
        except httpx.InvalidURL as error:
            raise Failure(INVALID_INPUT, f"{self._name}: the URL is none: {error}") from error
        except httpx.UnsupportedProtocol as error:
            raise Failure(INVALID_INPUT, f"{self._name}: the URL begins with http:// or https://") from error
        except httpx.HTTPError as error:
            what = str(error) or type(error).__name__
            raise Failure(HTTP_UNREACHABLE, f"{self._name}: {what}") from error

    def _request(self) -> httpx.Request:
        fields = self._fields
        url = fields.get("url")
        if not isinstance(url, str) or not url:
            raise Failure(INVALID_INPUT, f"url is {orjson.dumps(url).decode()[:80]}; write a URL")
        headers = {"idempotency-key": self._key} | _headers(fields.get("headers"))
        body = fields.get("body")
        content: bytes | None = None
        if isinstance(body, str):
            content = body.encode()
        elif body is not None:
            content = orjson.dumps(body)
            headers.setdefault("content-type", "application/json")
        outgoing = _client().build_request(self._name, url, headers=headers, content=content, timeout=self._timeout())
        query = _texts(fields.get("query"), "query")
        if query:
            outgoing.url = outgoing.url.copy_merge_params(query)
        return outgoing

    def _next(self, sent: httpx.Request, response: httpx.Response) -> httpx.Request | None:
        """The request that a redirect asks for, or None if this is the answer."""
        following = response.next_request
        if following is None:
            return None
        response.close()
        if following.url.scheme != sent.url.scheme:
            message = (
                f"{self._name} was redirected from {sent.url.scheme} to {following.url.scheme}; name that URL itself"
            )
            raise Failure(HTTP_UNREACHABLE, message)
        following.extensions["timeout"] = self._timeout().as_dict()
        return following

    def _answer(self, response: httpx.Response) -> Body:
        content = self._read(response)
        headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        accepted = self._fields.get("successCodes")
        good = response.status_code in accepted if accepted else response.is_success
        if not good:
            said = content[:_QUOTED].decode("utf-8", "replace").strip()
            message = f"{self._name} answered {response.status_code}" + (f": {said}" if said else "")
            raise Failure(HTTP_STATUS, message, status=response.status_code)
        body = _body(content, response)
        output = encode_output({"status": response.status_code, "headers": headers, "body": body})
        return succeeded(output, status=response.status_code)

    def _read(self, response: httpx.Response) -> bytes:
        """The whole body, while it is small enough and time is left: a server may send a byte now and then for ever."""
        content = bytearray()
        try:
            for chunk in response.iter_bytes():
                content += chunk
                check_size(len(content))
                if time.monotonic() > self._deadline:
                    raise self._too_late(None)
        finally:
            response.close()
        return bytes(content)

    def _timeout(self) -> httpx.Timeout:
        import httpx  # noqa: PLC0415 - see above

        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._too_late(None)
        return httpx.Timeout(left, connect=min(left, _CONNECT_SECONDS))

    def _too_late(self, error: Exception | None) -> Failure:
        """A connection that can't be made in time is unreachable; an answer that does not come is a timeout."""
        if time.monotonic() < self._deadline - 0.05 and error is not None:
            return Failure(HTTP_UNREACHABLE, f"{self._name}: no connection within {_CONNECT_SECONDS:.0f} s")
        return Failure(TIMED_OUT, f"{self._name} did not answer in the time of the attempt")


def _headers(values: object) -> dict[str, str]:
    """Headers that can be sent: a line break in a value would begin another header."""
    found = {name.lower(): value for name, value in _texts(values, "headers").items()}
    for name, value in found.items():
        if not _HEADER_NAME.fullmatch(name) or not value.isascii() or _BREAK.search(value):
            raise Failure(
                INVALID_INPUT, f"headers.{name[:80]} can't be sent; names and values are ASCII without line breaks"
            )
    return found


def _texts(values: object, field: str) -> dict[str, str]:
    """A map of texts; numbers and booleans are written as JSON has them, nulls left out."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise Failure(INVALID_INPUT, f"{field} is no map; write name: value")
    found = {}
    for name, value in values.items():
        if isinstance(value, dict | list):
            raise Failure(INVALID_INPUT, f"{field}.{name} is a list or a map; write text")
        if value is not None:
            found[str(name)] = value if isinstance(value, str) else orjson.dumps(value).decode()
    return found


def _body(content: bytes, response: httpx.Response) -> Any:
    """JSON where it is JSON; else text; null where there is nothing."""
    if not content:
        return None
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json") or content[:1] in b'{["':
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            pass
    return content.decode(response.encoding or "utf-8", "replace")


def _shown(url: httpx.URL) -> str:
    """The URL without user, password, query and fragment: any of them may be a secret."""
    return str(url.copy_with(username=None, password=None, query=None, fragment=None))[:300]


_client_lock = threading.Lock()


def _client() -> httpx.Client:
    with _client_lock:
        return _new_client()


@cache
def _new_client() -> httpx.Client:
    """One for the process: connections are kept, cookies are not, since they would pass from one run to another."""
    import httpx  # noqa: PLC0415 - see above

    nothing = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(follow_redirects=False, cookies=nothing, headers={"user-agent": "sluice"})
