"""`sluice install`: what a cluster needs of this release."""

from __future__ import annotations

import typer

from sluice.cli.verb import LocalVerb, say, verbs
from sluice.crds.definitions import definitions
from sluice.crds.output import as_yaml

app = verbs()


@app.command(cls=LocalVerb)
def install() -> None:
    """Print the CustomResourceDefinitions of this release.

    For `kubectl apply --server-side -f -`. The controller's own manifests come with the release for clusters.
    """
    typer.echo(as_yaml(*definitions().values()), nl=False)
    say("only the CustomResourceDefinitions: a controller for clusters is not part of this release; use `sluice up`")
