"""The program `sluice`: which verbs there are. Each is imported when it is called, so that the program answers at once."""

from __future__ import annotations

import importlib
import io
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from sluice import __version__

PANELS: dict[str, dict[str, tuple[str, str]]] = {
    "Begin": {
        "up": ("serving", "Run Sluice here, without a cluster."),
        "controller": ("controlling", "Run Sluice on a cluster."),
        "new": ("authoring", "Write a first manifest."),
        "install": ("installing", "Print the manifests of this release, for a cluster."),
    },
    "Manifests": {
        "check": ("authoring", "Validate manifests without a server."),
        "test": ("testing", "Play a workflow's own tests, its steps mocked, without a server."),
        "diff": ("diffing", "Show what applying manifests would do."),
        "apply": ("objects", "Apply manifests."),
        "get": ("getting", "List objects, or show some."),
        "describe": ("describing", "Tell all about an object."),
        "delete": ("objects", "Delete objects."),
    },
    "Versions": {
        "publish": ("publishing", "Publish a workflow's draft."),
        "versions": ("history", "List a workflow's version history."),
        "show": ("history", "Print what a version does."),
        "revert": ("publishing", "Publish an older version again."),
        "promote": ("promoting", "Carry a definition to the sibling in another environment."),
        "rollout": ("rollouts", "See and steer how a version takes over."),
    },
    "Environments": {
        "activate": ("environments", "Let a workflow run in an environment."),
        "deactivate": ("environments", "Stop a workflow from running in an environment, at once."),
    },
    "Runs": {
        "run": ("running", "Start a run."),
        "runs": ("runs", "List a workflow's runs."),
        "watch": ("following", "Follow a run until it ends."),
        "logs": ("following", "Print what a run's steps wrote."),
        "report": ("runs", "Print the report of a run: success, context, steps, errors."),
        "cancel": ("running", "Cancel a run."),
        "replay": ("running", "Run an ended run's input again."),
    },
    "Decisions": {
        "approvals": ("deciding", "List what waits for a decision."),
        "approve": ("deciding", "Approve what waits for a decision."),
        "reject": ("deciding", "Reject what waits for a decision."),
    },
}
VERBS = {verb: entry for panel in PANELS.values() for verb, entry in panel.items()}
GROUPS = frozenset({"rollout"})
"""Verbs that have verbs of their own."""


class LazyVerbs(TyperGroup):
    """Knows every verb by its name, and imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """All verbs, for help and completion."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The verb, or None if there is none of this name."""
        if cmd_name not in VERBS:
            return None
        group = get_group(importlib.import_module(f"sluice.cli.{VERBS[cmd_name][0]}").app)
        return group if cmd_name in GROUPS else group.commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The verbs by what they are about, without importing any."""
        for panel, verbs in PANELS.items():
            with formatter.section(panel):
                formatter.write_dl([(verb, help) for verb, (_, help) in verbs.items()])


app = typer.Typer(
    cls=LazyVerbs,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback(epilog="Exit codes: 0 done, 1 it failed (a run that failed too), 2 the input is wrong.")
def sluice(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Sluice runs versioned workflows, on a cluster or here.

    The server is found as kubectl finds it (--kubeconfig, --context, -n, KUBECONFIG), and without these it is the one
    that `sluice up` started in this folder.
    """
    del version


def main() -> None:
    """Run the program; also as ``kubectl sluice``, when it was started as kubectl's plugin."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What runs wrote holds any character; a terminal that can't show one is no reason to end.
            stream.reconfigure(errors="backslashreplace")
    called = Path(sys.argv[0]).name.removesuffix(".exe")
    app(prog_name="kubectl sluice" if called.startswith(("kubectl-sluice", "kubectl_sluice")) else "sluice")
