"""What a runner pod is told by the arguments of its command, all of them required: ``--name=value``, in any order.

Arguments and not variables: an API server keeps account of each variable of a container by itself, and does so again with
every write of its Job and of its pod; a list of arguments is one thing to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from sluice.runner.dialling import is_address

PATH: Final = "/runner/v1/segments"
"""Where a controller has the segments; below it: the run's uid, the unit, the epoch."""
NAMES: Final = ("url", "server-name", "ca", "run", "unit", "epoch", "token-file", "scratch")


class BadArgument(Exception):
    """An argument is missing, unknown or wrong; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``authority`` is PEM text, ``token_file`` is read anew for each connection, ``scratch`` is a folder for the workers."""

    url: str
    server_name: str
    authority: str
    run: str
    unit: str
    epoch: int
    token_file: str
    scratch: str

    @property
    def path(self) -> str:
        """The segment's, below the address of whichever controller."""
        return f"{PATH}/{quote(self.run, safe='')}/{quote(self.unit, safe='')}/{self.epoch}"


def read_settings(words: Iterable[str]) -> Settings:
    """The settings that these arguments give; raises BadArgument."""
    given = _parsed(words)
    url = _required(given, "url").rstrip("/")
    if not is_address(url):
        raise BadArgument(f"--url is {url!r}; write it as https://host:port")
    epoch = _required(given, "epoch")
    if not (epoch.isascii() and epoch.isdigit()):
        raise BadArgument(f"--epoch is {epoch!r}; it is a whole number")
    authority = _required(given, "ca")
    if "-----BEGIN CERTIFICATE-----" not in authority:
        raise BadArgument("--ca is no certificate in PEM form")
    scratch = _required(given, "scratch")
    if not (os.path.isdir(scratch) and os.access(scratch, os.W_OK | os.X_OK)):
        raise BadArgument(f"--scratch is {scratch!r}, which is no folder that this user may write to")
    return Settings(
        url=url,
        server_name=_required(given, "server-name"),
        authority=authority,
        run=_required(given, "run"),
        unit=_required(given, "unit"),
        epoch=int(epoch),
        token_file=_required(given, "token-file"),
        scratch=scratch,
    )


def _parsed(words: Iterable[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for word in words:
        option, _, value = word.partition("=")
        name = option.removeprefix("--")
        if option == name or name not in NAMES:
            raise BadArgument(f"{option} is no argument that this release knows; it is told --{', --'.join(NAMES)}")
        given[name] = value
    return given


def _required(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    if not value:
        raise BadArgument(f"--{name} is not given; the controller gives it to the pods that it makes")
    return value
