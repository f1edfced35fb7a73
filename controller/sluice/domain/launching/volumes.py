"""Volumes of an environment's pods, and where they are mounted: what is refused, and what to write instead."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from sluice.domain.definition.validation.findings import Code, Finding, did_you_mean, join
from sluice.domain.launching.placement import DEFAULT_SERVICE_ACCOUNT, Runner, Template
from sluice.domain.launching.pods import AUDIENCE, SCRATCH, SCRATCH_VOLUME, TOKEN_FOLDER, TOKEN_VOLUME

VOLUMES, MOUNTS = "spec.runner.volumes", "spec.runner.volumeMounts"
TYPES: Final = (
    "configMap",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
SOURCES: Final = ("clusterTrustBundle", "configMap", "downwardAPI", "secret", "serviceAccountToken")
_INSTEAD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hostPath": "a pod must not see its node's disk; use a persistentVolumeClaim",
        "csi": "its driver runs with a node's rights; use an ephemeral volume or a persistentVolumeClaim",
        "nfs": "use a persistentVolumeClaim of a PersistentVolume that names the server",
        "iscsi": "use a persistentVolumeClaim",
    }
)
_MOUNT_KEYS: Final = ("mountPath", "name", "readOnly", "subPath")
_OURS: Final = (TOKEN_FOLDER, SCRATCH)
_SYSTEMS: Final = ("/proc", "/sys", "/dev")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def check_volumes(runner: Runner) -> Iterator[Finding]:
    """Every finding about the volumes of a template."""
    names = [volume.get("name") for volume in runner.volumes]
    for index, volume in enumerate(runner.volumes):
        where = join(VOLUMES, index)
        yield from _check_name(names, index, where)
        yield from _check_type(volume, runner, where)


def check_mounts(runner: Runner) -> Iterator[Finding]:
    """Every finding about where a template's volumes are mounted."""
    known = [name for volume in runner.volumes if isinstance(name := volume.get("name"), str)]
    taken: list[str] = []
    for index, mount in enumerate(runner.mounts):
        where = join(MOUNTS, index)
        for key in mount:
            if key not in _MOUNT_KEYS:
                message = f"is not taken here; a mount has {', '.join(_MOUNT_KEYS)}"
                yield Finding(join(where, key), message, code=Code.REFUSED)
        if mount.get("name") not in known:
            message = (
                f"there is no volume {mount.get('name')} in {VOLUMES}; {did_you_mean(str(mount.get('name')), known)}"
            )
            yield Finding(join(where, "name"), message, code=Code.UNKNOWN_REFERENCE)
        yield from _check_sub_path(mount.get("subPath"), join(where, "subPath"))
        yield from _check_path(mount.get("mountPath"), taken, join(where, "mountPath"))


def _check_name(names: list[Any], index: int, where: str) -> Iterator[Finding]:
    name = names[index]
    field = join(where, "name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = "is required; write at most 63 lower-case letters, digits and -, a letter or digit at both ends"
        yield Finding(field, message, code=Code.NAME)
    elif name in (TOKEN_VOLUME, SCRATCH_VOLUME):
        yield Finding(field, f"{name} is the name of a volume of Sluice's own; choose another", code=Code.CONFLICT)
    elif name in names[:index]:
        yield Finding(field, f"{name} is the name of an earlier volume; choose another", code=Code.DUPLICATE)


def _check_type(volume: Template, runner: Runner, where: str) -> Iterator[Finding]:
    types = [key for key in volume if key != "name"]
    refused = [key for key in types if key not in TYPES]
    for key in refused:
        instead = _INSTEAD.get(key, f"allowed are {', '.join(TYPES)}")
        yield Finding(join(where, key), f"is refused: {instead}", code=Code.REFUSED)
    if refused:
        return
    if len(types) != 1 or not isinstance(volume[types[0]], Mapping):
        yield Finding(
            where, f"a volume is exactly one of {', '.join(TYPES)}, with what belongs to it", code=Code.ONE_OF
        )
    elif types == ["projected"]:
        yield from _check_sources(volume["projected"], runner, join(where, "projected", "sources"))


def _check_sources(projected: Template, runner: Runner, where: str) -> Iterator[Finding]:
    """Tokens are what matters: the namespace lends an account out by name, and ours is for the controller alone."""
    sources = projected.get("sources")
    if not isinstance(sources, list) or not all(isinstance(source, Mapping) for source in sources):
        yield Finding(where, "is required; write the list of what is projected", code=Code.MISSING)
        return
    for index, source in enumerate(sources):
        for key in source:
            field = join(where, index, key)
            if key not in SOURCES:
                yield Finding(field, f"is refused: allowed are {', '.join(SOURCES)}", code=Code.REFUSED)
            elif key == "serviceAccountToken":
                yield from _check_token(source[key], runner, field)


def _check_token(token: Any, runner: Runner, field: str) -> Iterator[Finding]:
    audience = token.get("audience") if isinstance(token, Mapping) else None
    if audience == AUDIENCE:
        message = f"tokens for {AUDIENCE} are the runner's alone; name the audience that the step talks to"
        yield Finding(join(field, "audience"), message, code=Code.REFUSED)
    if runner.service_account == DEFAULT_SERVICE_ACCOUNT:
        message = "is refused for the default service account; name another in spec.runner.serviceAccountName"
        yield Finding(field, message, code=Code.REFUSED)


def _check_sub_path(path: Any, where: str) -> Iterator[Finding]:
    if path is None:
        return
    if not isinstance(path, str) or path.startswith("/") or ".." in path.split("/"):
        yield Finding(where, "must be a path inside the volume, without / at the start and without ..")


def _check_path(path: Any, taken: list[str], where: str) -> Iterator[Finding]:
    """Whether something else is there; ``taken`` are the paths of earlier mounts, and this one from now on."""
    if not isinstance(path, str) or not path.startswith("/") or ":" in path or ".." in path.split("/"):
        yield Finding(where, "must be a path that begins with /, without : and ..")
        return
    plain, real = _plain(path), _real(path)
    for ours in _OURS:
        if _overlap(plain, ours) or _overlap(real, _real(ours)):
            yield Finding(
                where, f"{path} would hide {ours}, which is the runner's; mount elsewhere", code=Code.CONFLICT
            )
            return
    for system in _SYSTEMS:
        if _overlap(real, system):
            yield Finding(where, f"{path} is the system's; mount elsewhere", code=Code.REFUSED)
            return
    if real in taken:
        yield Finding(where, f"{path} is mounted already; mount each volume at a path of its own", code=Code.DUPLICATE)
    taken.append(real)


def _plain(path: str) -> str:
    """The path without detours."""
    return "/" + posixpath.normpath(path).lstrip("/")


def _real(path: str) -> str:
    """Where the path leads in most images: ``/var/run`` is a link to ``/run`` there."""
    plain = _plain(path)
    return plain.removeprefix("/var") if f"{plain}/".startswith("/var/run/") else plain


def _overlap(one: str, other: str) -> bool:
    """Whether either is the other or holds it."""
    a, b = f"{one.rstrip('/')}/", f"{other}/"
    return a.startswith(b) or b.startswith(a)
