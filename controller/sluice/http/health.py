"""``/healthz``, ``/livez``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sluice.http.kubernetes.answers import refusal
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.errors import Refused
from sluice.http.server import RouteGroup

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Check = Callable[[], str]
"""Says what is wrong in one sentence, or nothing. Called on the event loop: it must be quick."""

Checks = Mapping[str, Check]


def health_group(
    *, live: Checks, ready: Checks, registry: Callable[[], CollectorRegistry], access: Access
) -> RouteGroup:
    """The routes. Health is told to everybody; metrics name workflows, so they are for those whom ``access`` knows."""

    async def metrics(request: Request) -> Response:
        try:
            access.actor_of(request)
        except Refused as refused:
            return refusal(refused)
        return await run_in_threadpool(_exposition, registry(), request.headers.get("accept", ""))

    return RouteGroup(
        [
            Route("/healthz", _health("healthz", live)),
            Route("/livez", _health("livez", live)),
            Route("/readyz", _health("readyz", ready)),
            Route("/metrics", metrics),
        ]
    )


def _health(name: str, checks: Checks) -> Callable[[Request], Response]:
    def respond(request: Request) -> Response:
        problems = {each: check() for each, check in checks.items()}
        failed = any(problems.values())
        if not failed and "verbose" not in request.query_params:
            return PlainTextResponse("ok")
        lines = [f"[-]{each} failed: {why}" if why else f"[+]{each} ok" for each, why in problems.items()]
        lines.append(f"{name} check {'failed' if failed else 'passed'}")
        return PlainTextResponse("\n".join(lines) + "\n", 500 if failed else 200)

    async def endpoint(request: Request) -> Response:
        return respond(request)

    return endpoint  # type: ignore[return-value]


def _exposition(registry: CollectorRegistry, accept: str) -> Response:
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415  (only for those who scrape)

    encode, content_type = choose_encoder(accept)
    return Response(encode(registry), headers={"content-type": content_type})
