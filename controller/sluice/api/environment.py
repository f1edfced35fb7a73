"""Environment: a runtime that runs execute in."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from sluice.api.environmentstate import State
from sluice.api.fields import (
    AnyObjectName,
    ApiModel,
    Conditions,
    Duration,
    JsonMap,
    LongText,
    ObjectName,
    Resource,
    ShortText,
    StatusModel,
)


class EnvironmentType(StrEnum):
    """For testing, or for real; immutable."""

    SANDBOX = "Sandbox"
    PRODUCTION = "Production"


class Tier(StrEnum):
    """Production if and only if the type is Production."""

    PRODUCTION = "Production"
    STAGING = "Staging"
    DEVELOPMENT = "Development"


class Launch(StrEnum):
    """How a run's segment is started."""

    AUTO = "Auto"
    JOB = "Job"
    POD = "Pod"
    PROCESS = "Process"


class ResourceList(ApiModel):
    """Quantities as Kubernetes spells them, such as `250m` or `1Gi`."""

    requests: Annotated[dict[ShortText, ShortText], Field(max_length=16)] | None = None
    """What a pod is sure to get; 100m of cpu and 128Mi of memory unless said, less where the limit is lower."""
    limits: Annotated[dict[ShortText, ShortText], Field(max_length=16)] | None = None
    """What a pod may use at most. Memory: 512Mi for the runner and `limits.stepMemory` once unless said, so one step can
    use up its share without taking the pod with it; say more where heavy steps run side by side. No limit of cpu."""


class RunnerTemplate(ApiModel):
    """What the runner's pod looks like. Whatever the `restricted` level of Pod Security refuses is refused here too."""

    image: Annotated[str, Field(max_length=512)] | None = None
    """An image with Sluice of the controller's version in it, so made from Sluice's own, which is what is used unless said."""
    image_pull_policy: Annotated[str, Field(max_length=12, pattern="^(Always|IfNotPresent|Never)$")] | None = None
    """The controller's own policy unless said."""
    image_pull_secrets: Annotated[list[AnyObjectName], Field(max_length=16)] | None = None
    """Secrets of the namespace where the pods run."""
    resources: ResourceList | None = None
    scratch_size: Annotated[str, Field(max_length=16, pattern=r"^[0-9]+(Ki|Mi|Gi)$")] | None = None
    """Room on the node's disk for a run's files; 1Gi unless said. A pod that takes more is evicted."""
    node_selector: Annotated[dict[ShortText, ShortText], Field(max_length=32)] | None = None
    tolerations: Annotated[list[JsonMap], Field(max_length=32)] | None = None
    """As in a pod."""
    service_account_name: AnyObjectName | None = None
    """`default` unless said; another one must be listed by the namespace's annotation `sluice.dev/service-accounts`. Its
    token is not mounted by itself: mount one with a projected volume where steps need it."""
    labels: Annotated[dict[ShortText, ShortText], Field(max_length=16)] | None = None
    """More labels of the pods, such as `sidecar.istio.io/inject: "false"`."""
    annotations: Annotated[dict[ShortText, LongText], Field(max_length=16)] | None = None
    """More annotations of the pods."""
    volumes: Annotated[list[JsonMap], Field(max_length=32)] | None = None
    """As in a pod, of these types: configMap, downwardAPI, emptyDir, ephemeral, persistentVolumeClaim, projected, secret."""
    volume_mounts: Annotated[list[JsonMap], Field(max_length=32)] | None = None
    """`name`, `mountPath`, and if wanted `subPath` and `readOnly`, of a volume above."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=604800)] | None = None
    """Seconds for which an ended Job or pod is kept, and with it what `kubectl logs` shows; 300 unless said. What runs did
    is recorded elsewhere."""


class Cluster(ApiModel):
    """Another cluster, by a Secret that holds a kubeconfig with inline credentials."""

    kubeconfig_secret: AnyObjectName
    """Name of a Secret beside the Environment, the kubeconfig under the key `kubeconfig`."""
    context: ShortText | None = None
    """A context of the kubeconfig; its current one unless said."""
    runner_url: Annotated[str, Field(max_length=512)] | None = None
    """The controller's address as seen from that cluster, such as `https://sluice.example.com:8443`; needed, since its
    Service is not known there. It must pass TLS through: the runners check the controller's own certificate."""


class Limits(ApiModel):
    """Upper bounds in this environment."""

    runs: Annotated[int, Field(ge=1, le=100000)] | None = None
    """Runs at a time."""
    parallel_steps: Annotated[int, Field(ge=1, le=256)] | None = None
    """Steps of one version at a time in one local runner; 16 unless said."""
    step_memory: Annotated[str, Field(max_length=16, pattern=r"^[0-9]+(Ki|Mi|Gi)$")] | None = None
    """Memory of one code step; 512Mi unless said."""
    step_timeout: Duration | None = None
    """For steps without a timeout of their own; 1h unless said."""
    run_timeout: Duration | None = None


class PythonPolicy(ApiModel):
    """What code steps may bring."""

    requirements: Annotated[str, Field(max_length=6, pattern="^(Allow|Forbid)$")] = "Allow"


class ArtifactStorage(ApiModel):
    """Where artifacts live."""

    connection: ObjectName
    prefix: Annotated[str, Field(max_length=512)] | None = None


class EgressRule(ApiModel):
    """A range that pods may reach although it is the cluster's own, or the link's."""

    cidr: Annotated[str, Field(max_length=64)]
    """Such as `10.20.0.0/16`, or one address as `10.20.0.7/32`."""
    ports: Annotated[list[Annotated[int, Field(ge=1, le=65535)]], Field(max_length=32)] | None = None
    """TCP and UDP; all unless said."""
    description: LongText | None = None


class EnvironmentSpec(ApiModel):
    """Where and how runs are launched."""

    type: EnvironmentType
    tier: Tier | None = None
    """Production for type Production, else Development unless said."""
    description: LongText | None = None
    launch: Launch = Launch.AUTO
    """Auto: a process when embedded, a Job on a cluster."""
    namespace: ObjectName | None = None
    """Where pods run; the Environment's own namespace unless said. Another one must name the Environment's in its annotation
    `sluice.dev/runs-from`."""
    cluster: Cluster | None = None
    runner: RunnerTemplate | None = None
    limits: Limits | None = None
    python: PythonPolicy | None = None
    artifacts: ArtifactStorage | None = None
    egress: Annotated[list[EgressRule], Field(max_length=64)] | None = None
    """What pods may reach beside DNS, the controller and public addresses, where the cluster enforces NetworkPolicies."""
    default_state: State = State.INACTIVE
    """For workflows that have no EnvironmentState here."""
    params: JsonMap | None = None
    """Values of parameters, over the declared defaults."""


class EnvironmentStatus(StatusModel):
    """What is."""

    observed_generation: int = 0
    launch: str | None = None
    conditions: Conditions = []


class Environment(Resource):
    """A runtime: sandbox or production."""

    kind: str = "Environment"
    spec: EnvironmentSpec
    status: EnvironmentStatus = EnvironmentStatus()
