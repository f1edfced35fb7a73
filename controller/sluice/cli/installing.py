"""`sluice install`: what a cluster needs of this release."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from sluice.cli.verb import LocalVerb, say, verbs
from sluice.manifests import Overlay, Settings
from sluice.manifests.output import stream
from sluice.manifests.settings import IMAGE, LEDGER, NAMESPACE

app = verbs()

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _namespaces(value: str | list[str] | None) -> str | list[str] | None:
    """Names that a namespace can have."""
    for name in [value] if isinstance(value, str) else value or ():
        if not _LABEL.fullmatch(name):
            raise typer.BadParameter(f"{name!r} can't be a namespace: lower-case letters, digits and -, at most 63")
    return value


@app.command(cls=LocalVerb)
def install(  # noqa: PLR0913, PLR0917 - the program's options
    overlay: Annotated[
        Overlay,
        typer.Option(
            help="default: one controller, its ledger a file on a volume; postgres: one, its ledger in PostgreSQL; "
            "ha: two of these, one leads.",
        ),
    ] = Overlay.DEFAULT,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="The controller's own namespace.", callback=_namespaces)
    ] = NAMESPACE,
    image: Annotated[str, typer.Option(help="The image of controller and runners.", metavar="IMAGE")] = IMAGE,
    launch_in: Annotated[
        list[str] | None,
        typer.Option(
            help="A namespace in which the controller may start pods; may be repeated. In all unless said.",
            metavar="NAMESPACE",
            callback=_namespaces,
        ),
    ] = None,
    webhook: Annotated[bool, typer.Option("--webhook", help="Validate objects as they are written.")] = False,
    pod_monitor: Annotated[bool, typer.Option("--pod-monitor", help="For the Prometheus operator.")] = False,
    default_environment: Annotated[
        bool, typer.Option("--default-environment", help="Make Environment/local, a sandbox, in the namespace default.")
    ] = False,
) -> None:
    """Print the manifests of this release, for a cluster.

    For `kubectl apply --server-side -f -`: the definitions are too large for kubectl's other way of applying.
    """
    settings = Settings(
        overlay=overlay,
        namespace=namespace,
        image=image,
        launch_in=tuple(launch_in or ()),
        webhook=webhook,
        pod_monitor=pod_monitor,
        default_environment=default_environment,
    )
    typer.echo(stream(settings), nl=False)
    if default_environment:
        say("on a new cluster apply it twice: kubectl knows the kind of Environment/local only after the first time")
    if overlay is not Overlay.DEFAULT:
        say(f"the controller starts once Secret {LEDGER} in namespace {namespace} has the ledger's URL as its key url")
