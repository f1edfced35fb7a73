"""`sluice up`: Sluice on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sluice import bootstrap
from sluice.cli.failures import Wrong
from sluice.cli.verb import LocalVerb, verbs

app = verbs()


@app.command(cls=LocalVerb)
def up(
    directory: Annotated[
        Path | None, typer.Argument(help="Manifests to apply and to follow.", metavar="[DIR]", show_default=False)
    ] = None,
    data: Annotated[Path, typer.Option(help="Where everything is kept.", metavar="DIR")] = Path(".sluice"),
    listen: Annotated[str, typer.Option(help="Host and port to answer on.", metavar="HOST:PORT")] = "127.0.0.1:7717",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="For manifests that name no namespace.")
    ] = "default",
) -> None:
    """Run Sluice here, without a cluster.

    Applies the manifests of DIR and follows their changes, serves the Kubernetes protocol for kubectl and this program,
    and writes DATA/kubeconfig. Ctrl-C stops it cleanly.
    """
    if directory is not None and not directory.is_dir():
        raise Wrong(f"{directory} is no folder; name one with manifests, or none")
    raise typer.Exit(bootstrap.up(directory, data=data, listen=listen, namespace=namespace))
