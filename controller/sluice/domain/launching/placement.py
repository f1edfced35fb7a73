"""Where and how an environment's segments run: what the launcher must know of it, in units that it can use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from sluice.api.environment import Environment, EnvironmentSpec, Launch, RunnerTemplate
from sluice.domain.launching.quantities import quantity

TTL_S: Final = 300
SCRATCH_SIZE: Final = "1Gi"
RUNNER_MIB: Final = 512
"""What the limit of a pod's memory leaves to the runner, mebibytes; a step's share comes on top."""
STEP_MEMORY: Final = "512Mi"
DEFAULT_REQUESTS: Final[Mapping[str, str]] = MappingProxyType({"cpu": "100m", "memory": "128Mi"})
DEFAULT_SERVICE_ACCOUNT: Final = "default"

Template = Mapping[str, Any]
"""A part of a pod as the environment spells it: shared, never changed."""


@dataclass(frozen=True, slots=True)
class RemoteCluster:
    """Another cluster: the Secret of its kubeconfig (in the workspace), a context of it or empty, and the controller's address
    as seen from there."""

    kubeconfig_secret: str
    context: str = ""
    runner_url: str = ""


@dataclass(frozen=True, slots=True)
class Runner:
    """What the pod of a runner looks like. An empty text is the installation's default."""

    image: str = ""
    pull_policy: str = ""
    pull_secrets: tuple[str, ...] = ()
    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    scratch_size: str = SCRATCH_SIZE
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Template, ...] = ()
    service_account: str = DEFAULT_SERVICE_ACCOUNT
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[Template, ...] = ()
    mounts: tuple[Template, ...] = ()


@dataclass(frozen=True, slots=True)
class Egress:
    """A range of addresses that pods may reach; without ports, all of them."""

    cidr: str
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """An environment as the launcher sees it; ``workspace`` is its own namespace, ``namespace`` where pods run.

    ``launch`` is never Auto. Shared between threads and segments: never changed.
    """

    launch: Launch
    workspace: str
    namespace: str
    environment: str
    runner: Runner = Runner()
    cluster: RemoteCluster | None = None
    egress: tuple[Egress, ...] = ()
    ttl_s: int = TTL_S

    @property
    def is_remote(self) -> bool:
        """Whether pods run on another cluster than the controller's."""
        return self.cluster is not None

    @property
    def crosses_namespace(self) -> bool:
        """Whether pods run in a namespace of another name than the workspace's."""
        return self.namespace != self.workspace

    @property
    def is_at_home(self) -> bool:
        """Whether pods run in the workspace itself, so that a run may own its Jobs."""
        return not self.is_remote and not self.crosses_namespace


def placement_of(environment: Environment, *, embedded: bool) -> Placement:
    """What an environment asks for, with the defaults filled in. Nothing is checked here: see ``security.problems``."""
    spec, metadata = environment.spec, environment.metadata
    return Placement(
        launch=resolved_launch(spec.launch, embedded=embedded),
        workspace=metadata.namespace,
        namespace=spec.namespace or metadata.namespace,
        environment=metadata.name,
        runner=_runner_of(spec),
        cluster=_cluster_of(spec),
        egress=tuple(Egress(rule.cidr, tuple(rule.ports or ())) for rule in spec.egress or ()),
        ttl_s=_ttl_of(spec.runner),
    )


def resolved_launch(launch: Launch, *, embedded: bool) -> Launch:
    """What ``Auto`` means in this installation."""
    if launch is not Launch.AUTO:
        return launch
    return Launch.PROCESS if embedded else Launch.JOB


def _cluster_of(spec: EnvironmentSpec) -> RemoteCluster | None:
    if spec.cluster is None:
        return None
    return RemoteCluster(spec.cluster.kubeconfig_secret, spec.cluster.context or "", spec.cluster.runner_url or "")


def _ttl_of(template: RunnerTemplate | None) -> int:
    given = template.ttl_seconds_after_finished if template else None
    return TTL_S if given is None else given


def _runner_of(spec: EnvironmentSpec) -> Runner:
    template = spec.runner or RunnerTemplate()
    step_memory = (spec.limits.step_memory if spec.limits else None) or STEP_MEMORY
    requests, limits = _resources(template, step_memory)
    return Runner(
        image=template.image or "",
        pull_policy=template.image_pull_policy or "",
        pull_secrets=tuple(template.image_pull_secrets or ()),
        requests=requests,
        limits=limits,
        scratch_size=template.scratch_size or SCRATCH_SIZE,
        node_selector=dict(template.node_selector or {}),
        tolerations=tuple(template.tolerations or ()),
        service_account=template.service_account_name or DEFAULT_SERVICE_ACCOUNT,
        labels=dict(template.labels or {}),
        annotations=dict(template.annotations or {}),
        volumes=tuple(template.volumes or ()),
        mounts=tuple(template.volume_mounts or ()),
    )


def _resources(template: RunnerTemplate, step_memory: str) -> tuple[dict[str, str], dict[str, str]]:
    """Requests and limits: what is given, and defaults that never contradict it."""
    given = template.resources
    requests = dict(given.requests or {}) if given else {}
    limits = dict(given.limits or {}) if given else {}
    if "memory" not in limits:
        mebibytes = RUNNER_MIB + -int(-quantity(step_memory) // 2**20)
        limits["memory"] = _larger(f"{mebibytes}Mi", requests.get("memory"))
    for name, least in DEFAULT_REQUESTS.items():
        requests.setdefault(name, _smaller(least, limits.get(name)))
    return requests, limits


def _larger(default: str, given: str | None) -> str:
    return given if given is not None and _known(given) > quantity(default) else default


def _smaller(default: str, given: str | None) -> str:
    return given if given is not None and _known(given) < quantity(default) else default


def _known(text: str) -> float:
    """A quantity for a comparison; one that can't be read is left to ``security.problems``."""
    try:
        return float(quantity(text))
    except ValueError:
        return float("nan")
