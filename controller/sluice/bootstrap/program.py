"""``sluice up``: the embedded controller, its server and the directory it follows, until Ctrl-C."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.api import kinds
from sluice.bootstrap.embedded import Embedded, Settings, local_actor
from sluice.bootstrap.ending import end
from sluice.crds import bundle
from sluice.ports.errors import PortError, Unavailable
from sluice.ports.source import Tree

if TYPE_CHECKING:
    from sluice.bootstrap.following import Follower
    from sluice.http.server import Running
    from sluice.reconcilers.sources.applying import Applied

KUBECONFIG = "kubeconfig"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the server listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Listen:
        """``host:port``, ``:port`` or ``port``; ValueError says what is wrong."""
        host, _, port = text.rpartition(":")
        if not port.isdecimal() or not 0 <= int(port) <= 65535:
            raise ValueError(f"--listen {text!r}: write host:port, such as 127.0.0.1:7717; port 0 takes a free one")
        return cls(host.strip("[]") or "127.0.0.1", int(port))


def up(directory: Path | None, *, data: Path, listen: str, namespace: str = "default") -> int:
    """Run until SIGINT or SIGTERM; answers with the exit code: 1 it can't run, 2 the input is wrong.

    Once it was ready and is stopped, the process ends here with 0.
    """
    logging.basicConfig(level=os.environ.get("SLUICE_LOG", "WARNING"), format="%(levelname)s %(name)s: %(message)s")
    try:
        where = Listen.parse(listen)
    except ValueError as error:
        return _complain(str(error), 2)
    if directory is not None and not directory.is_dir():
        return _complain(f"{directory}: is not a directory; give a folder of manifests", 2)
    try:
        embedded = Embedded(Settings(data))
    except (Unavailable, OSError) as error:
        return _complain(str(error), 1)
    # A terminal that closes ends us as Ctrl-C does, not in the middle of something.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    embedded.start()
    try:
        embedded.ensure_namespace(namespace)
        code = _serve(embedded, directory, data, where, namespace)
    finally:
        embedded.stop()
    return end(code)


def _serve(embedded: Embedded, directory: Path | None, data: Path, where: Listen, namespace: str) -> int:
    from sluice.bootstrap.denials import enter_denial  # noqa: PLC0415
    from sluice.http.health import health_group  # noqa: PLC0415 - the store recovers while these are imported
    from sluice.http.history import history_group  # noqa: PLC0415
    from sluice.http.kubernetes.authn import Access  # noqa: PLC0415
    from sluice.http.kubernetes.catalog import Catalog  # noqa: PLC0415
    from sluice.http.kubernetes.group import kubernetes_group  # noqa: PLC0415
    from sluice.http.origin import Origins  # noqa: PLC0415
    from sluice.http.server import CannotListenError, compose, serve  # noqa: PLC0415

    access = Access(anonymous=local_actor())
    columns = bundle.printer_columns()
    catalog = Catalog(
        {kind: embedded.schemas[kind.kind] for kind in kinds.SLUICE_KINDS},
        {kind: columns[kind.kind] for kind in kinds.SLUICE_KINDS},
    )
    store = embedded.store
    groups = [
        health_group(live={}, ready={}, registry=embedded.registry, access=access),
        history_group(store, embedded.ledger, access),
        kubernetes_group(store, catalog, access=access, acting_as=embedded.acting_as),
    ]
    followers: list[Follower] = []
    try:
        app = compose(groups)
        app.add_middleware(Origins, denied=partial(enter_denial, embedded.journal, access))
        serve(
            app,
            host=where.host,
            port=where.port,
            ready=lambda running: _ready(embedded, running, directory, data, namespace, followers),
        )
    except CannotListenError as error:
        return _complain(str(error), 1)
    finally:
        for follower in followers:
            follower.stop()
    return 0


def _ready(
    embedded: Embedded,
    running: Running,
    directory: Path | None,
    data: Path,
    namespace: str,
    followers: list[Follower],
) -> None:
    from sluice.http.kubernetes.kubeconfig import Connection, write_kubeconfig  # noqa: PLC0415

    kubeconfig = data / KUBECONFIG
    write_kubeconfig(kubeconfig, Connection(running.url, namespace=namespace))
    _say(f"Sluice is ready at {running.url}")
    _say(f"kubectl --kubeconfig {kubeconfig} get sluice")
    if directory is None:
        embedded.ensure_environment(namespace)
        return
    from sluice.adapters.files.directory import DirectorySource  # noqa: PLC0415
    from sluice.bootstrap.following import Follower  # noqa: PLC0415

    first = True
    complaints: tuple[str, ...] = ()

    def report(tree: Tree, applied: Applied) -> None:
        nonlocal first, complaints
        known, complaints = complaints, (*tree.errors, *tree.warnings, *applied.problems)
        if complaints != known:  # what is still wrong is said once, however often it is looked at
            _complain_of(directory, tree, complaints)
        _tell(applied)
        if first and not tree.errors:
            first = False
            _ensure_environment(embedded, namespace)

    world = dataclasses.replace(
        embedded.system.world, store=embedded.acting_as(local_actor(), f"directory {directory}")
    )
    source = DirectorySource(directory, embedded.helper.call)
    follower = Follower(world, source, namespace=namespace, report=report)
    followers.append(follower)
    follower.start()


def _ensure_environment(embedded: Embedded, namespace: str) -> None:
    try:
        embedded.ensure_environment(namespace)
    except PortError as error:
        log.warning("Environment/local could not be made: %s", error)


def _complain_of(directory: Path, tree: Tree, complaints: tuple[str, ...]) -> None:
    for line in complaints:
        _say(line, error=True)
    if tree.errors:
        _say(f"{directory}: nothing was applied; what runs stays as it is until this is mended", error=True)


def _tell(applied: Applied) -> None:
    for name in applied.changed:
        _say(f"{name} applied")
    for name in applied.pruned:
        _say(f"{name} pruned")


def _say(line: str, *, error: bool = False) -> None:
    print(line, file=sys.stderr if error else sys.stdout, flush=True)


def _complain(line: str, code: int) -> int:
    _say(f"sluice up: {line}", error=True)
    return code
