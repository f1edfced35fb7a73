"""`sluice controller`: Sluice on a cluster."""

from __future__ import annotations

import datetime as dt
import socket
from pathlib import Path
from typing import Annotated

import typer

from sluice import __version__, bootstrap
from sluice.cli.failures import Wrong
from sluice.cli.verb import LocalVerb, verbs
from sluice.domain import durations
from sluice.reconcilers.runs.retention import Keep

app = verbs()

NAMESPACE = "sluice-system"
IMAGE = f"ghcr.io/sluice-dev/sluice:{__version__}"


@app.command(cls=LocalVerb)
def controller(  # noqa: PLR0913, PLR0917 - the program's options
    ledger: Annotated[
        str,
        typer.Option(
            help="Where history is kept: sqlite:////path/ledger.db (one replica) or postgresql://user@host/database.",
            metavar="URL",
            envvar="SLUICE_LEDGER",
        ),
    ] = "sqlite:////var/lib/sluice/ledger.db",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Its own namespace.", envvar="POD_NAMESPACE")
    ] = NAMESPACE,
    identity: Annotated[
        str, typer.Option(help="What to call this replica; the host's name unless said.", envvar="POD_NAME")
    ] = "",
    advertise: Annotated[
        str,
        typer.Option(
            help="Address at which runners reach just this replica, while it leads.", metavar="ADDRESS", envvar="POD_IP"
        ),
    ] = "",
    runner_url: Annotated[
        str, typer.Option(help="Address that runners are given.", metavar="URL", envvar="SLUICE_RUNNER_URL")
    ] = f"https://sluice-controller.{NAMESPACE}.svc:8443",
    runner_image: Annotated[
        str,
        typer.Option(
            help="Image of runners in environments that name none.", metavar="IMAGE", envvar="SLUICE_RUNNER_IMAGE"
        ),
    ] = IMAGE,
    pull_policy: Annotated[
        str,
        typer.Option(
            help="When the runners' image is pulled: Always, IfNotPresent, Never; the cluster's default unless said.",
            envvar="SLUICE_RUNNER_PULL_POLICY",
        ),
    ] = "",
    listen: Annotated[str, typer.Option(help="Where runners and webhooks are answered.", metavar="HOST:PORT")] = (
        "0.0.0.0:8443"
    ),
    metrics_listen: Annotated[str, typer.Option(help="Where probes and metrics are answered.", metavar="HOST:PORT")] = (
        "0.0.0.0:8080"
    ),
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="For a controller outside of the cluster; its pod's service account unless said."),
    ] = None,
    context: Annotated[str, typer.Option(help="A context of the kubeconfig.")] = "",
    qps: Annotated[float, typer.Option(help="Requests a second to the API server, in the long run.")] = 500.0,
    burst: Annotated[int, typer.Option(help="Requests to the API server at once.")] = 1000,
    controller_id: Annotated[
        str, typer.Option(help="Tells two installations on one cluster apart.", envvar="SLUICE_CONTROLLER_ID")
    ] = "sluice",
    watch_namespaces: Annotated[
        str,
        typer.Option(
            help="Namespaces that it looks after, with commas between; all unless said. Give each part another id.",
            metavar="NAMES",
            envvar="SLUICE_WATCH_NAMESPACES",
        ),
    ] = "",
    keep_for: Annotated[
        str,
        typer.Option(
            help="How long the objects of runs stay after their end; their record stays in the ledger in any case.",
            metavar="DURATION",
            envvar="SLUICE_KEEP_FOR",
        ),
    ] = "7d",
    keep_succeeded: Annotated[
        int,
        typer.Option(
            help="Of runs that succeeded at most so many stay, for each workflow in an environment.",
            min=0,
            max=10_000,
            envvar="SLUICE_KEEP_SUCCEEDED",
        ),
    ] = 50,
    keep_failed: Annotated[
        int,
        typer.Option(
            help="The same of runs that ended otherwise: failed, cancelled, rejected.",
            min=0,
            max=10_000,
            envvar="SLUICE_KEEP_FAILED",
        ),
    ] = 50,
    keep_in_namespace: Annotated[
        int,
        typer.Option(
            help="Of all ended runs of a namespace at most so many stay.",
            min=0,
            max=100_000,
            envvar="SLUICE_KEEP_IN_NAMESPACE",
        ),
    ] = 2000,
) -> None:
    """Run Sluice on a cluster.

    Reconciles the objects on the API server, launches runs as Jobs or pods, and answers their runners. Of several
    replicas one leads. SIGTERM hands over and stops it cleanly; runs go on. Exit code 1: it can't run, or was deposed.
    """
    options = bootstrap.Options(
        ledger=ledger,
        namespace=namespace,
        identity=identity or socket.gethostname(),
        runner_url=runner_url,
        runner_image=runner_image,
        advertise=advertise,
        listen=listen,
        metrics_listen=metrics_listen,
        kubeconfig=kubeconfig,
        context=context,
        qps=qps,
        burst=burst,
        pull_policy=pull_policy,
        controller_id=controller_id,
        watch_namespaces=tuple(name for part in watch_namespaces.split(",") if (name := part.strip())),
        keep=Keep(_length(keep_for), keep_succeeded, keep_failed, keep_in_namespace),
    )
    raise typer.Exit(bootstrap.control(options))


def _length(keep_for: str) -> dt.timedelta:
    try:
        return durations.bounded(keep_for)
    except ValueError as error:
        raise Wrong(f"--keep-for (SLUICE_KEEP_FOR): {error}") from error
