"""The record of runs that the controller keeps in its ledger: reports, logs, and runs whose objects are gone.

The embedded server has it below its own paths. On a cluster the controller has it, behind its service, which the API
server leads to for those who may `get` the service's `proxy`. The API server takes credentials off what it leads on, so
the controller is shown a token of its own: what ``SLUICE_TOKEN`` says, and never what the kubeconfig holds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import orjson

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli.client import Client, Obj
from sluice.cli.failures import Failed, Refused

NAMESPACE = "sluice-system"
NAMESPACE_VARIABLE = "SLUICE_CONTROLLER_NAMESPACE"
SERVICE, PORT = "sluice-controller", 8443
TOKEN_VARIABLE, TOKEN_HEADER = "SLUICE_TOKEN", "sluice-authorization"
RUNS = "/api/sluice/v1/namespaces/{namespace}/runs"

CANNOT = "the controller's record can't be asked"
UNAUTHORIZED, NOT_FOUND = 401, 404
TOKEN_HINT = (
    f"set {TOKEN_VARIABLE} to a token of audience sluice, as `kubectl create token NAME --audience=sluice` gives it"
)


class NoRecord(Failed):
    """The record can't be asked; the message says why and what to do."""


class Record:
    """Asks for it. Every question raises NoRecord, or Refused in the record's own words where it knows no such run."""

    def __init__(self, client: Client, environ: Mapping[str, str] = os.environ) -> None:
        self._client = client
        self._namespace = environ.get(NAMESPACE_VARIABLE) or NAMESPACE
        self._token = environ.get(TOKEN_VARIABLE, "") if client.is_private else ""

    def runs(self, workflow: str, environment: str, limit: int) -> list[Obj]:
        """The newest runs of a workflow, everywhere if no environment is named."""
        query = {"workflow": workflow, "limit": str(limit)} | ({"environment": environment} if environment else {})
        path = RUNS.format(namespace=self._client.namespace)
        return list(self._read_object(path, query).get("runs") or ())

    def report(self, run: str) -> Obj:
        """The execution report of a run."""
        return self._read_object(f"{self._client.path(WORKFLOW_RUN, run)}/report", {})

    def log(self, run: str, query: Mapping[str, str]) -> str:
        """What the steps of a run printed; ``query`` may choose a ``step``, and how many lines from the ``tail``."""
        return self._read(f"{self._client.path(WORKFLOW_RUN, run)}/log", query)

    def _read_object(self, path: str, query: Mapping[str, str]) -> Obj:
        try:
            found = orjson.loads(self._read(path, query))
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise NoRecord(f"{CANNOT}: what answers there is no controller of Sluice")
        return found

    def _read(self, path: str, query: Mapping[str, str]) -> str:
        if self._client.is_embedded:
            return self._client.text(path, query)
        proxy = f"/api/v1/namespaces/{self._namespace}/services/https:{SERVICE}:{PORT}/proxy"
        headers = {TOKEN_HEADER: f"Bearer {self._token}"} if self._token else {}
        try:
            return self._client.text(f"{proxy}{path}", query, headers=headers)
        except Refused as refused:
            if refused.code == NOT_FOUND and refused.about == WORKFLOW_RUN.plural:
                raise
            raise NoRecord(f"{CANNOT}: {self._why(refused)}") from refused

    def _why(self, refused: Refused) -> str:
        if refused.code == UNAUTHORIZED:
            return f"it does not accept {TOKEN_VARIABLE}" if self._token else TOKEN_HINT
        if refused.code == NOT_FOUND and refused.about == "services":
            where = f"{SERVICE} in the namespace {self._namespace}"
            return f"there is no service {where}; if it is in another one, set {NAMESPACE_VARIABLE}"
        if refused.code == NOT_FOUND:
            return "the controller there offers none"
        return str(refused)
