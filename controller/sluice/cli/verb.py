"""What all verbs share: where they work, how they print, and how they end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from sluice.api.kinds import WORKFLOW, WORKFLOW_RUN, KindInfo, kind_named
from sluice.cli.client import Client
from sluice.cli.failures import FAILED, CliError
from sluice.cli.kubeconfig import Wish, find_target

PLACE = "sluice.place"
"""Where the options of the place are kept while a verb runs."""


class Format(StrEnum):
    """How results are printed."""

    JSON = "json"
    YAML = "yaml"
    WIDE = "wide"
    NAME = "name"


Output = Annotated[
    Format | None,
    typer.Option(
        "--output",
        "-o",
        help="json or yaml: the objects themselves; name: their names; wide: more columns.",
        metavar="FORMAT",
    ),
]


def named(kind: KindInfo) -> Callable[[str], str]:
    """A callback of an argument that names one object: what ``-o name`` prints, ``KIND/NAME``, is taken too."""

    def bare(value: str) -> str:
        word, slash, name = value.partition("/")
        if not slash:
            return value
        if kind_named(word) is not kind or not name:
            raise typer.BadParameter(f"{value!r} names no {kind.kind}; write NAME or {kind.singular}/NAME")
        return name

    return bare


Workflow = Annotated[
    str,
    typer.Argument(help="Name of the workflow.", metavar="WORKFLOW", show_default=False, callback=named(WORKFLOW)),
]
Run = Annotated[
    str,
    typer.Argument(help="Name of the run.", metavar="RUN", show_default=False, callback=named(WORKFLOW_RUN)),
]
Environment = Annotated[str, typer.Option("--env", "-e", help="Name of the environment.", show_default=False)]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it has happened.")]
Timeout = Annotated[
    str, typer.Option("--timeout", help="How long to wait at most, such as 30s or 1h.", metavar="DURATION")
]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the people who will read it.", show_default=False)]


def _keep(ctx: Any, param: Any, value: Any) -> Any:
    ctx.meta.setdefault(PLACE, {})[param.name] = value or ""
    return value


def _place_options() -> list[Any]:
    """The options that every verb takes, made by the same library as the verbs' own."""
    probe = typer.Typer(add_completion=False)

    @probe.command()
    def place(
        namespace: Annotated[str, typer.Option("--namespace", "-n", help="The namespace.", callback=_keep)] = "",
        kubeconfig: Annotated[str, typer.Option(help="The kubeconfig file.", callback=_keep)] = "",
        context: Annotated[str, typer.Option(help="The kubeconfig context.", callback=_keep)] = "",
    ) -> None:
        del namespace, kubeconfig, context

    options = get_command(probe).params
    for option in options:
        option.expose_value = False
    return options


class LocalVerb(TyperCommand):
    """A command that needs no server; errors are told in one line with the right exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except CliError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(error.exit_code) from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # who read has seen enough: the program ends without a word
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(FAILED) from error


class Verb(LocalVerb):
    """A command that talks to a server: it takes the options of the place."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(*args, params=[*(params or []), *_place_options()], **settings)


def verbs() -> typer.Typer:
    """A group of verbs to add commands to."""
    return typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True
    )


def connect(ctx: typer.Context) -> Client:
    """The client of the place that this verb was told; closed when the verb ends."""
    given = ctx.meta.get(PLACE, {})
    wish = Wish(given.get("kubeconfig", ""), given.get("context", ""), given.get("namespace", ""))
    client = Client(find_target(wish, os.environ, here=Path.cwd(), home=Path.home()))
    ctx.call_on_close(client.close)
    return client


def say(text: str) -> None:
    """A line about what happens, beside the result: it goes to stderr."""
    typer.echo(text, err=True)
