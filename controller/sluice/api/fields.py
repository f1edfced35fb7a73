"""The spellings that several kinds share: names, durations, percentages, templates. Every one is bounded, because a real
API server refuses rules over fields without a bound."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


class ApiModel(BaseModel):
    """The root of all models: camelCase on the wire, unknown fields refused, built when first used."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", defer_build=True, use_attribute_docstrings=True
    )


class StatusModel(ApiModel):
    """The root of statuses: a newer release may have written fields that this one does not know."""

    model_config = ConfigDict(extra="ignore")


def _two_decimals(value: Any) -> Any:
    if isinstance(value, (bool, float)):
        raise ValueError('must be a whole number, or a string with up to two decimals such as "0.5"')
    return value


LABEL_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"
PERCENT_PATTERN = r"^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)$"
STEP_NAME_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
VERSION_KEY_PATTERN = r"^(v[1-9][0-9]{0,8}|d-[0-9a-f]{12})$"

WorkflowName = Annotated[str, Field(min_length=1, max_length=40, pattern=LABEL_PATTERN)]
ObjectName = Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL_PATTERN)]
AnyObjectName = Annotated[str, Field(min_length=1, max_length=253)]
StepName = Annotated[str, Field(max_length=40, pattern=STEP_NAME_PATTERN)]
Need = Annotated[str, Field(max_length=41, pattern=r"^[a-z][a-z0-9_]{0,39}\??$")]
ParamName = Annotated[str, Field(max_length=63, pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,62}$")]
VersionName = Annotated[str, Field(max_length=10, pattern=r"^v[1-9][0-9]{0,8}$")]
VersionKey = Annotated[str, Field(max_length=14, pattern=VERSION_KEY_PATTERN)]
Duration = Annotated[str, Field(max_length=32, pattern=DURATION_PATTERN)]
Percent = Annotated[
    Annotated[int, Field(ge=0, le=100)] | Annotated[str, Field(max_length=6, pattern=PERCENT_PATTERN)],
    BeforeValidator(_two_decimals),
    Field(json_schema_extra={"x-kubernetes-int-or-string": True}),
]
Template = Annotated[str, Field(max_length=32768)]
ShortText = Annotated[str, Field(max_length=256)]
LongText = Annotated[str, Field(max_length=4096)]
Timestamp = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Json = Annotated[Any, Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})]
JsonMap = Annotated[
    dict[str, Any], Field(max_length=256, json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})
]
Strings = Annotated[list[ShortText], Field(max_length=64)]


class OwnerReference(ApiModel):
    """Who an object belongs to; it is deleted with its owner."""

    model_config = ConfigDict(extra="ignore")

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(ApiModel):
    """Kubernetes' own metadata."""

    model_config = ConfigDict(extra="ignore")

    name: str = ""
    generate_name: str | None = None
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: list[str] = []
    owner_references: list[OwnerReference] = []


class Condition(StatusModel):
    """One thing that is true or not about an object, as Kubernetes' API conventions have it."""

    type: Annotated[str, Field(max_length=64)]
    status: Annotated[str, Field(max_length=7, pattern="^(True|False|Unknown)$")]
    reason: Annotated[str, Field(max_length=64, pattern="^[A-Za-z][A-Za-z0-9]*$")]
    """One word from the list of reasons."""
    message: Annotated[str, Field(max_length=4096)] = ""
    """What happened and what to do."""
    observed_generation: int = 0
    last_transition_time: Timestamp = ""
    """When ``status`` last changed."""


Conditions = Annotated[
    list[Condition],
    Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
]


class Resource(ApiModel):
    """What all kinds have."""

    model_config = ConfigDict(extra="forbid")

    api_version: str
    kind: str
    metadata: ObjectMeta
