"""The kinds Sluice knows, as the API server names them. Nothing here needs pydantic, so it loads in no time."""

from __future__ import annotations

from dataclasses import dataclass, field

GROUP = "sluice.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "sluice"


@dataclass(frozen=True, slots=True)
class KindInfo:
    """How one kind is called in each place. ``selectable`` are the field paths that field selectors may name."""

    kind: str
    plural: str
    api_version: str = API_VERSION
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    has_status: bool = True
    selectable: tuple[str, ...] = ()
    singular: str = field(init=False)
    """The kind in lower case, as kubectl prints it."""
    group: str = field(init=False)
    """The API group; empty for the core group."""
    version: str = field(init=False)
    """The API version without its group."""
    resource: str = field(init=False)
    """``plural.group``, the name that is unique on a cluster."""
    full: str = field(init=False)
    """``Kind.group``, as an API server's messages say it."""

    def __post_init__(self) -> None:
        """Work out the other names once: they are asked for on every write."""
        group, _, version = self.api_version.rpartition("/")
        for name, value in (
            ("singular", self.kind.lower()),
            ("group", group),
            ("version", version),
            ("resource", f"{self.plural}.{group}" if group else self.plural),
            ("full", f"{self.kind}.{group}" if group else self.kind),
        ):
            object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        """By the name that is unique; kinds are keys of many maps."""
        return hash(self.resource)


WORKFLOW = KindInfo("Workflow", "workflows", short_names=("slwf",))
WORKFLOW_VERSION = KindInfo(
    "WorkflowVersion", "workflowversions", short_names=("slwfv",), selectable=("spec.workflow",)
)
ROLLOUT = KindInfo("Rollout", "rollouts", short_names=("slro",))
ENVIRONMENT = KindInfo("Environment", "environments", short_names=("slenv",))
ENVIRONMENT_STATE = KindInfo("EnvironmentState", "environmentstates", short_names=("sles",))
WORKFLOW_RUN = KindInfo(
    "WorkflowRun",
    "workflowruns",
    short_names=("slrun",),
    selectable=("spec.input.workflow", "spec.input.environment", "status.phase"),
)
APPROVAL = KindInfo("Approval", "approvals", short_names=("slap",), selectable=("status.phase",))

SLUICE_KINDS = (WORKFLOW, WORKFLOW_VERSION, ROLLOUT, ENVIRONMENT, ENVIRONMENT_STATE, WORKFLOW_RUN, APPROVAL)

NAMESPACE = KindInfo("Namespace", "namespaces", "v1", ("ns",), namespaced=False)
SECRET = KindInfo("Secret", "secrets", "v1", has_status=False)
CONFIG_MAP = KindInfo("ConfigMap", "configmaps", "v1", ("cm",), has_status=False)
EVENT = KindInfo(
    "Event",
    "events",
    "v1",
    ("ev",),
    has_status=False,
    selectable=(
        "involvedObject.apiVersion",
        "involvedObject.kind",
        "involvedObject.name",
        "involvedObject.namespace",
        "involvedObject.uid",
        "reason",
        "type",
    ),
)
LEASE = KindInfo("Lease", "leases", "coordination.k8s.io/v1", has_status=False)

KUBERNETES_KINDS = (NAMESPACE, SECRET, CONFIG_MAP, EVENT, LEASE)
ALL_KINDS = SLUICE_KINDS + KUBERNETES_KINDS

_BY_KIND = {(info.api_version, info.kind): info for info in ALL_KINDS}
_BY_PLURAL = {(info.api_version, info.plural): info for info in ALL_KINDS}


def kind_of(api_version: str, kind: str) -> KindInfo | None:
    """The kind that a manifest names by ``apiVersion`` and ``kind``, or None if Sluice doesn't know it."""
    return _BY_KIND.get((api_version, kind))


def resource_of(api_version: str, plural: str) -> KindInfo | None:
    """The kind that a URL names by group, version and plural."""
    return _BY_PLURAL.get((api_version, plural))


def kind_named(word: str) -> KindInfo | None:
    """The kind a person means by kind, plural, singular, short name, ``plural.group`` or ``singular.group``, in any case."""
    lowered = word.lower()
    for info in ALL_KINDS:
        names = {info.plural, info.singular, info.resource, f"{info.singular}.{info.group}", *info.short_names}
        if lowered in names:
            return info
    return None
