"""What a kubelet asks of an API server and tells it about a runner's pod: a token of the pod's own, and its states."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.adapters.kubernetes.launching.workloads import POD
from sluice.adapters.kubernetes.store import MERGE_PATCH
from sluice.adapters.kubernetes.transport import Transport
from sluice.domain.timestamps import stamp
from sluice.ports.clock import SystemClock
from sluice.ports.errors import Conflict, NotFound
from sluice.ports.store import Obj


def token_of(transport: Transport, pod: Obj) -> str:
    """A token for the audience and pod that its projected volume asks for. NotFound when the pod is gone."""
    metadata, spec = pod["metadata"], pod["spec"]
    source = next(
        source["serviceAccountToken"]
        for volume in spec["volumes"]
        for source in volume.get("projected", {}).get("sources", ())
    )
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": [source["audience"]],
            "expirationSeconds": source["expirationSeconds"],
            "boundObjectRef": {"kind": POD.kind, "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]},
        },
    }
    account = spec.get("serviceAccountName") or "default"
    path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
    return str(orjson.loads(transport.send("POST", path, body=orjson.dumps(request)))["status"]["token"])


def report_running(transport: Transport, pod: Obj) -> None:
    """Its container has begun; nothing happens if the pod is gone."""
    _report(transport, pod, "Running", {"running": {"startedAt": _now()}})


def report_ended(transport: Transport, pod: Obj, code: int, message: str) -> None:
    """Its container has ended with this exit status; nothing happens if the pod is gone."""
    ended: dict[str, Any] = {
        "exitCode": code,
        "reason": "Error" if code else "Completed",
        "startedAt": _now(),
        "finishedAt": _now(),
    }
    if code:
        ended["message"] = message
    _report(transport, pod, "Failed" if code else "Succeeded", {"terminated": ended})


def remove(transport: Transport, pod: Obj) -> None:
    """Its containers are gone, so the pod may go; a kubelet says so last of all."""
    options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
    try:
        transport.send("DELETE", _path(pod), body=orjson.dumps(options))
    except (NotFound, Conflict):
        return


def _report(transport: Transport, pod: Obj, phase: str, state: Obj) -> None:
    container = pod["spec"]["containers"][0]
    shown = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": phase == "Running",
        "restartCount": 0,
        "state": state,
    }
    patch = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": {"phase": phase, "containerStatuses": [shown]}}
    try:
        transport.send("PATCH", f"{_path(pod)}/status", body=orjson.dumps(patch), content_type=MERGE_PATCH)
    except (NotFound, Conflict):
        return


def _path(pod: Obj) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _now() -> str:
    return stamp(SystemClock().now())
