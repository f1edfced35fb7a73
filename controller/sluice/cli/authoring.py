"""`sluice new` and `check`: manifests, before any server sees them."""

from __future__ import annotations

import getpass
import re
import socket
from pathlib import Path
from typing import Annotated

import typer

from sluice.api.fields import LABEL_PATTERN
from sluice.cli.failures import WRONG, Failed, Wrong
from sluice.cli.manifests import load, placed
from sluice.cli.verb import LocalVerb, say, verbs

app = verbs()

MAX_NAME = 40
FIRST = """\
apiVersion: sluice.dev/v1alpha1
kind: Workflow
metadata:
  name: {name}
spec:
  owner: {owner}
  definition:
    params:
      greeting: {{type: string, default: Hello}}
    steps:
    - name: greet
      action:
        python:
          code: |
            name = (payload or {{}}).get("name", "world")
            output = {{"text": f"{{params['greeting']}}, {{name}}!"}}
    - name: count
      needs: [greet]
      action:
        python:
          code: |
            output = {{"letters": len(steps["greet"]["output"]["text"])}}
    outputs:
      text: ${{ steps.greet.output.text }}
      letters: ${{ steps.count.output.letters }}
  tests:
  - name: says the text of its first step
    payload: {{name: Ana}}
    mocks:
      greet: {{text: "Hello, Ana!"}}
      count: {{letters: 11}}
    expect:
      phase: Succeeded
      outputs: {{text: "Hello, Ana!", letters: 11}}
"""


@app.command(cls=LocalVerb)
def new(
    name: Annotated[str, typer.Argument(help="Name of the workflow.", metavar="NAME", show_default=False)],
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Write it there; to stdout unless said.")] = None,
    owner: Annotated[str, typer.Option(help="E-mail address of who answers for it.")] = "",
) -> None:
    """Write a first manifest.

    A workflow of two steps that runs as it stands: `sluice new hello -f hello.yaml`, then `sluice up .`
    """
    if len(name) > MAX_NAME or not re.fullmatch(LABEL_PATTERN, name):
        raise Wrong(
            f"{name!r} is no name of a workflow: write lower case letters, digits and dashes, at most {MAX_NAME}"
        )
    text = FIRST.format(name=name, owner=owner or f"{_user()}@{_domain()}")
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise Failed(f"{file} is there already; choose another name, or remove it") from error
    except OSError as error:
        raise Failed(f"{file} can't be written: {error.strerror}") from error
    say(f"{file} written; `sluice check {file}` validates it, `sluice up {file.parent}` runs it")


def _user() -> str:
    """Who is logged in; a user without a name in this machine's files is somebody too."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _domain() -> str:
    """The domain of this machine, for an address that at least looks like one."""
    _, _, domain = socket.gethostname().partition(".")
    return domain if "." in domain else "example.com"


@app.command(cls=LocalVerb)
def check(
    path: Annotated[Path, typer.Argument(help="A folder or a file with manifests.", metavar="DIR")] = Path(),
) -> None:
    """Validate manifests without a server.

    Prints file:line: field: message for everything that is wrong, and ends with 2 if anything is; warnings change nothing.
    """
    result = load(str(path))
    for finding in result.findings:
        typer.echo(placed(finding, str(path)))
    if result.errors:
        raise typer.Exit(WRONG)
    if not result.objects:
        raise Wrong(f"there is no manifest in {path}")
    many = "1 object is" if len(result.objects) == 1 else f"{len(result.objects)} objects are"
    say(f"{many} valid")
