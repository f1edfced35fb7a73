"""All that is installed, in the order in which it is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain

import orjson

from sluice.crds.definitions import definitions
from sluice.crds.policies import CONTROLLER_USER, policy_manifests
from sluice.manifests import surroundings
from sluice.manifests.controller import deployment, ledger_volume
from sluice.manifests.controller_rights import controller_rights, launcher_bindings
from sluice.manifests.people_rights import people_rights
from sluice.manifests.settings import Manifest, Overlay, Settings

Part = Callable[[Settings], list[Manifest]]


def installed(settings: Settings) -> list[Manifest]:
    """Every object of an installation: a namespace and definitions before what needs them."""
    return list(chain.from_iterable(parts(settings).values()))


def parts(settings: Settings) -> dict[str, list[Manifest]]:
    """The same by part: what each file of the kustomize folders holds, by its name."""
    return {name: made for name, made in ((name, part(settings)) for name, part in _PARTS.items()) if made}


def policies(settings: Settings) -> list[Manifest]:
    """The admission policies, which know the controller by its user name."""
    told = orjson.dumps(policy_manifests()).decode()
    made: list[Manifest] = orjson.loads(told.replace(CONTROLLER_USER, settings.user))
    return made


def _where(condition: Callable[[Settings], bool], make: Callable[[Settings], Manifest]) -> Part:
    return lambda settings: [make(settings)] if condition(settings) else []


_PARTS: Mapping[str, Part] = {
    "namespace": lambda settings: [surroundings.namespace(settings)],
    "definitions": lambda _: list(definitions().values()),
    "admission-policies": policies,
    "controller-rights": controller_rights,
    "launcher-bindings": launcher_bindings,
    "people-rights": lambda _: people_rights(),
    "service": lambda settings: [surroundings.service(settings), surroundings.network_policy(settings)],
    "ledger": _where(lambda settings: settings.overlay is Overlay.DEFAULT, ledger_volume),
    "deployment": lambda settings: [deployment(settings)],
    "disruption-budget": _where(lambda settings: settings.overlay is Overlay.HA, surroundings.disruption_budget),
    "webhook": _where(lambda settings: settings.webhook, surroundings.webhook),
    "podmonitor": _where(lambda settings: settings.pod_monitor, surroundings.pod_monitor),
    "default-environment": _where(
        lambda settings: settings.default_environment, lambda _: surroundings.default_environment()
    ),
}
