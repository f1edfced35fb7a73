"""The Kubernetes protocol as a group of routes, from the parts that the program hands in."""

from __future__ import annotations

from collections.abc import Callable

from sluice.http.kubernetes.application import KubernetesApplication
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.catalog import Catalog
from sluice.http.kubernetes.feeds import PushFeed, WatchFeed
from sluice.http.kubernetes.hub import Feed, Hub
from sluice.http.kubernetes.reads import Reader, Threads
from sluice.http.kubernetes.service import Service
from sluice.http.server import RouteGroup, Segments
from sluice.ports.store import Actor, Store
from sluice.runtime.feeds import PushingStore

SEGMENTS = ("api", "apis", "openapi", "version")


def kubernetes_group(
    store: Store,
    catalog: Catalog,
    *,
    access: Access,
    acting_as: Callable[[Actor], Store],
) -> RouteGroup:
    """Routes for ``catalog`` over ``store``; ``acting_as`` gives the store that writes as one actor.

    Changes come by one subscription where the store pushes them, else by one watch, on a thread, for each kind.
    """
    threads = Threads()
    stored = dict.fromkeys(resource.stored for resource in catalog.resources())
    feed: Feed = PushFeed(store) if isinstance(store, PushingStore) else WatchFeed(store)
    hub = Hub(feed, stored)
    service = Service(
        catalog=catalog,
        access=access,
        acting_as=acting_as,
        reader=Reader(store, threads),
        threads=threads,
        hub=hub,
    )

    routes = [Segments(SEGMENTS, KubernetesApplication(service))]
    return RouteGroup(routes, starting=hub.start, closing=hub.close, stopped=threads.close)
