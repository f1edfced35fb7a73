"""Whether an environment may launch what it asks for: by its own template, and by the word of the namespace it runs in.

An environment is the controller's power lent out. The template must pass the ``restricted`` level of Pod Security, and
whoever owns the namespace where pods run decides which workspaces run there, and as which service accounts.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from sluice.api.environment import Launch
from sluice.domain.definition.validation.findings import Code, Finding, join
from sluice.domain.launching.placement import DEFAULT_SERVICE_ACCOUNT, Placement, Runner
from sluice.domain.launching.pods import CONTROLLER_NAMESPACE
from sluice.domain.launching.quantities import quantity
from sluice.domain.launching.scheduling import check_metadata, check_scheduling
from sluice.domain.launching.volumes import check_mounts, check_volumes

RUNS_FROM: Final = "sluice.dev/runs-from"
"""Annotation of a namespace: the workspaces whose runs it lets in, with commas between."""
SERVICE_ACCOUNTS: Final = "sluice.dev/service-accounts"
"""Annotation of a namespace: the service accounts that runs in it may have, with commas between."""

_OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def problems(placement: Placement) -> tuple[Finding, ...]:
    """What in an environment keeps its pods from being launched, whatever the cluster says. None for local processes."""
    if placement.launch is Launch.PROCESS:
        return ()
    runner = placement.runner
    return (
        *_check_cluster(placement),
        *_check_image(runner),
        *_check_names(runner),
        *_check_resources(runner),
        *check_scheduling(runner),
        *check_metadata(runner),
        *check_volumes(runner),
        *check_mounts(runner),
        *_check_egress(placement),
    )


def may_launch(
    namespace: Mapping[str, Any] | None, placement: Placement, *, controller_namespace: str = CONTROLLER_NAMESPACE
) -> str:
    """Why the Namespace object (None: there is none) keeps an environment's pods out; empty when it lets them in."""
    name, workspace = placement.namespace, placement.workspace
    if not placement.is_remote and name == controller_namespace:
        return f"spec.namespace: {name} is the controller's own, with its keys in it; name another"
    if namespace is None:
        return f"spec.namespace: there is no namespace {name}; make it, or name another"
    metadata = namespace.get("metadata") or {}
    if metadata.get("deletionTimestamp"):
        return f"spec.namespace: {name} is being deleted; name another"
    annotations = metadata.get("annotations") or {}
    if not placement.is_at_home and workspace not in _listed(annotations, RUNS_FROM):
        how = _annotate(name, RUNS_FROM, [*_listed(annotations, RUNS_FROM), workspace])
        return f"spec.namespace: {name} lets in no runs of {workspace}; whoever owns {name} can allow it: {how}"
    account = placement.runner.service_account
    if account != DEFAULT_SERVICE_ACCOUNT and account not in _listed(annotations, SERVICE_ACCOUNTS):
        how = _annotate(name, SERVICE_ACCOUNTS, [*_listed(annotations, SERVICE_ACCOUNTS), account])
        what = f"{name} does not lend {account} to runs; whoever owns {name} can allow it"
        return f"spec.runner.serviceAccountName: {what}: {how}"
    return ""


def _listed(annotations: Mapping[str, str], key: str) -> list[str]:
    return [name for part in (annotations.get(key) or "").split(",") if (name := part.strip())]


def _annotate(namespace: str, key: str, names: list[str]) -> str:
    return f"kubectl annotate --overwrite namespace {namespace} {key}={','.join(names)}"


def _check_cluster(placement: Placement) -> Iterator[Finding]:
    cluster = placement.cluster
    if cluster is None:
        return
    field = "spec.cluster.runnerUrl"
    if not cluster.runner_url:
        message = "is required: the controller's Service is not known on another cluster; write its address as seen from there"
        yield Finding(field, message, code=Code.MISSING)
    elif not _is_address(cluster.runner_url):
        yield Finding(field, f"{cluster.runner_url} is no address; write https://, a host and a port")


def _is_address(url: str) -> bool:
    """Whether it is https, a host and perhaps a port, and nothing else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = f"https://{parts.netloc}" == url and "@" not in parts.netloc and not re.search(r"\s", url)
    return plain and bool(parts.hostname) and port != 0


def _check_image(runner: Runner) -> Iterator[Finding]:
    if re.search(r"\s", runner.image):
        yield Finding("spec.runner.image", f"{runner.image!r} has a space in it; write the image's name alone")


def _check_names(runner: Runner) -> Iterator[Finding]:
    named = [(join("spec.runner.imagePullSecrets", index), name) for index, name in enumerate(runner.pull_secrets)]
    for field, name in (*named, ("spec.runner.serviceAccountName", runner.service_account)):
        if not _OBJECT_NAME.fullmatch(name):
            yield Finding(field, f"{name} is no object's name; use lower-case letters, digits, - and .", code=Code.NAME)


def _check_resources(runner: Runner) -> Iterator[Finding]:
    numbers = {}
    for part, quantities in (("requests", runner.requests), ("limits", runner.limits)):
        for name, text in quantities.items():
            field = join("spec.runner.resources", part, name)
            try:
                numbers[part, name] = quantity(text)
            except ValueError as error:
                yield Finding(field, str(error))
                continue
            if numbers[part, name] < 0:
                yield Finding(field, f"{text} is less than nothing; write a positive quantity", code=Code.OUT_OF_BOUNDS)
    for name, request in runner.requests.items():
        if numbers.get(("requests", name), 0) > numbers.get(("limits", name), float("inf")):
            message = f"{request} is more than the limit {runner.limits[name]}; raise the limit, or request less"
            yield Finding(join("spec.runner.resources.requests", name), message, code=Code.CONFLICT)


def _check_egress(placement: Placement) -> Iterator[Finding]:
    for index, rule in enumerate(placement.egress):
        field = join("spec.egress", index, "cidr")
        try:
            network = ipaddress.ip_network(rule.cidr)
        except ValueError as error:
            message = f"{rule.cidr} is no range of addresses ({error}); write one such as 10.0.0.0/8"
            yield Finding(field, message)
            continue
        if not network.prefixlen:
            message = f"{rule.cidr} is every address, also of the machines; name the ranges that runs need"
            yield Finding(field, message, code=Code.REFUSED)
