"""Small schemas for the kinds of Kubernetes itself that are served beside Sluice's own."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _string(description: str = "") -> Schema:
    return {"type": "string", "description": description} if description else {"type": "string"}


def _map_of(value: Schema, description: str) -> Schema:
    return {"type": "object", "additionalProperties": value, "description": description}


def _time(description: str) -> Schema:
    return {"type": "string", "format": "date-time", "description": description}


def _object(description: str, **properties: Schema) -> Schema:
    return {"type": "object", "description": description, "properties": properties}


_FREE: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

OWNER_REFERENCE = _object(
    "An object that this one belongs to; it is deleted with it.",
    apiVersion=_string("API version of the owner."),
    kind=_string("Kind of the owner."),
    name=_string("Name of the owner."),
    uid=_string("UID of the owner."),
    controller={"type": "boolean", "description": "Whether the owner is the managing controller."},
    blockOwnerDeletion={"type": "boolean", "description": "Whether a foreground deletion waits for this object."},
)

OBJECT_META = _object(
    "Standard object metadata.",
    name=_string("Name, unique within a namespace."),
    generateName=_string("Prefix for a name that the server completes, when name is empty."),
    namespace=_string("Namespace that holds the object."),
    selfLink=_string(),
    uid=_string("Unique in time and space; set by the server."),
    resourceVersion=_string("Opaque version of the stored object; set by the server."),
    generation={"type": "integer", "format": "int64", "description": "Rises with each change of the desired state."},
    creationTimestamp=_time("When the object was created; set by the server."),
    deletionTimestamp=_time("When deletion was asked for; set by the server."),
    deletionGracePeriodSeconds={"type": "integer", "format": "int64"},
    labels=_map_of(_string(), "Keys and values to select objects by."),
    annotations=_map_of(_string(), "Keys and values that tools keep here."),
    ownerReferences={"type": "array", "items": OWNER_REFERENCE, "description": "Objects that this one belongs to."},
    finalizers={"type": "array", "items": _string(), "description": "Names that must be removed before deletion."},
    managedFields={"type": "array", "items": _FREE, "description": "Which manager owns which fields."},
)

_TYPE: dict[str, Schema] = {
    "apiVersion": _string("Group and version of this representation."),
    "kind": _string("The kind of this object."),
    "metadata": OBJECT_META,
}


def _kind(description: str, **properties: Schema) -> Schema:
    return _object(description, **_TYPE, **properties)


_INVOLVED = _object(
    "The object that an event is about.",
    **{name: _string() for name in ("apiVersion", "kind", "name", "namespace", "uid", "resourceVersion", "fieldPath")},
)

_EVENT = _kind(
    "A report of something that happened to an object.",
    involvedObject=_INVOLVED,
    related=_INVOLVED,
    reason=_string("One word, for programs."),
    message=_string("A sentence, for people."),
    type=_string("Normal or Warning."),
    source=_object("The reporting component.", component=_string(), host=_string()),
    firstTimestamp=_time("When it was first seen."),
    lastTimestamp=_time("When it was last seen."),
    count={"type": "integer", "format": "int32", "description": "How often it was seen."},
    eventTime=_time("When it was first observed."),
    series=_FREE,
    action=_string("What was done or failed."),
    reportingComponent=_string("Name of the controller that reports."),
    reportingInstance=_string("Instance of that controller."),
)

_BYTES: Schema = {"type": "string", "format": "byte"}

BUILTIN_SCHEMAS: dict[str, Schema] = {
    "Namespace": _kind(
        "A namespace holds a workspace: its objects, its members.",
        spec=_object("Behaviour.", finalizers={"type": "array", "items": _string()}),
        status=_object("State.", phase=_string("Active or Terminating."), conditions={"type": "array", "items": _FREE}),
    ),
    "Secret": _kind(
        "Secret data of a certain type.",
        data=_map_of(_BYTES, "Values in base64."),
        stringData=_map_of(_string(), "Values in plain text; written into data, never read back."),
        type=_string("What programs may expect in data."),
        immutable={"type": "boolean", "description": "Whether data can't be changed any more."},
    ),
    "ConfigMap": _kind(
        "Configuration data for programs.",
        data=_map_of(_string(), "Values as text."),
        binaryData=_map_of(_BYTES, "Values in base64."),
        immutable={"type": "boolean", "description": "Whether data can't be changed any more."},
    ),
    "Event": _EVENT,
    "Lease": _kind(
        "A lease: who leads, until when.",
        spec=_object(
            "The lease.",
            holderIdentity=_string("Who holds it."),
            leaseDurationSeconds={"type": "integer", "format": "int32", "description": "Seconds it is valid."},
            acquireTime=_time("When it was acquired."),
            renewTime=_time("When it was last renewed."),
            leaseTransitions={"type": "integer", "format": "int32", "description": "How often the holder changed."},
            preferredHolder=_string(),
            strategy=_string(),
        ),
    ),
}
"""By kind; shared by core and ``events.k8s.io`` events, whose other names are left to clients."""
