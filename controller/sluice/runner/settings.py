"""What a runner pod is told by its environment, all of it required."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from sluice.runner.dialling import is_address

PATH: Final = "/runner/v1/segments"
"""Where a controller has the segments; below it: the run's uid, the unit, the epoch."""


class BadEnvironment(Exception):
    """A variable is missing or wrong; the message names it."""


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


def read_settings(variables: Mapping[str, str]) -> Settings:
    """The settings; raises BadEnvironment."""
    url = _required(variables, "SLUICE_URL").rstrip("/")
    if not is_address(url):
        raise BadEnvironment(f"SLUICE_URL is {url!r}; write it as https://host:port")
    epoch = _required(variables, "SLUICE_EPOCH")
    if not (epoch.isascii() and epoch.isdigit()):
        raise BadEnvironment(f"SLUICE_EPOCH is {epoch!r}; it is a whole number")
    authority = _required(variables, "SLUICE_CA")
    if "-----BEGIN CERTIFICATE-----" not in authority:
        raise BadEnvironment("SLUICE_CA is no certificate in PEM form")
    scratch = _required(variables, "SLUICE_SCRATCH")
    if not (os.path.isdir(scratch) and os.access(scratch, os.W_OK | os.X_OK)):
        raise BadEnvironment(f"SLUICE_SCRATCH is {scratch!r}, which is no folder that this user may write to")
    return Settings(
        url=url,
        server_name=_required(variables, "SLUICE_SERVER_NAME"),
        authority=authority,
        run=_required(variables, "SLUICE_RUN"),
        unit=_required(variables, "SLUICE_UNIT"),
        epoch=int(epoch),
        token_file=_required(variables, "SLUICE_TOKEN_FILE"),
        scratch=scratch,
    )


def _required(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "")
    if not value:
        raise BadEnvironment(f"{name} is not set; the controller sets it in the pods that it makes")
    return value
