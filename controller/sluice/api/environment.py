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
    """Quantities as Kubernetes spells them."""

    requests: Annotated[dict[ShortText, ShortText], Field(max_length=16)] | None = None
    limits: Annotated[dict[ShortText, ShortText], Field(max_length=16)] | None = None


class RunnerTemplate(ApiModel):
    """What the runner's pod looks like."""

    image: Annotated[str, Field(max_length=512)] | None = None
    image_pull_policy: Annotated[str, Field(max_length=12, pattern="^(Always|IfNotPresent|Never)$")] | None = None
    image_pull_secrets: Annotated[list[AnyObjectName], Field(max_length=16)] | None = None
    resources: ResourceList | None = None
    node_selector: Annotated[dict[ShortText, ShortText], Field(max_length=32)] | None = None
    tolerations: Annotated[list[JsonMap], Field(max_length=32)] | None = None
    service_account_name: AnyObjectName | None = None
    volumes: Annotated[list[JsonMap], Field(max_length=32)] | None = None
    volume_mounts: Annotated[list[JsonMap], Field(max_length=32)] | None = None


class Cluster(ApiModel):
    """Another cluster, by a Secret that holds a kubeconfig with inline credentials."""

    kubeconfig_secret: AnyObjectName
    context: ShortText | None = None


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
    """A range that pods may reach although it is the cluster's own."""

    cidr: Annotated[str, Field(max_length=64)]
    ports: Annotated[list[Annotated[int, Field(ge=1, le=65535)]], Field(max_length=32)] | None = None
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
    """Where pods run; the Environment's own namespace unless said."""
    cluster: Cluster | None = None
    runner: RunnerTemplate | None = None
    limits: Limits | None = None
    python: PythonPolicy | None = None
    artifacts: ArtifactStorage | None = None
    egress: Annotated[list[EgressRule], Field(max_length=64)] | None = None
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
