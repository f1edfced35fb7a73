"""Pods as an API server tells of them, in the shapes that kubelet, scheduler and controllers write."""

from __future__ import annotations

from typing import Any

MADE, RUN_SINCE, ENDED = "2026-03-01T08:00:00Z", "2026-03-01T08:00:05Z", "2026-03-01T08:00:30Z"
NODE = "node-7"
IMAGE = "ghcr.io/sluice-dev/sluice:0.1.0"


def pod(phase: str, *containers: dict[str, Any], deleted: str = "", node: str = NODE, **status: Any) -> dict[str, Any]:
    """A pod of a segment; ``deleted`` is when its grace period ends, ``status`` what else stands there."""
    metadata = {"name": "hello-0123456789-1-x7k2p", "namespace": "support", "creationTimestamp": MADE}
    if deleted:
        metadata |= {"deletionTimestamp": deleted}
    return {
        "metadata": metadata,
        "spec": {"nodeName": node} if node else {},
        "status": {"phase": phase, **({"containerStatuses": list(containers)} if containers else {}), **status},
    }


def container(name: str = "runner", **state: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "restartCount": 0, "state": state}


def waiting(reason: str, message: str = "", name: str = "runner") -> dict[str, Any]:
    return container(name, waiting={"reason": reason, **({"message": message} if message else {})})


def running(name: str = "runner") -> dict[str, Any]:
    return container(name, running={"startedAt": RUN_SINCE})


def terminated(code: int, reason: str = "", message: str = "", name: str = "runner") -> dict[str, Any]:
    told = {"exitCode": code, "reason": reason or ("Error" if code else "Completed")}
    told |= {"message": message} if message else {}
    return container(name, terminated={**told, "startedAt": RUN_SINCE, "finishedAt": ENDED})


def scheduled(reason: str, message: str) -> list[dict[str, Any]]:
    return [{"type": "PodScheduled", "status": "False", "reason": reason, "message": message}]


def disrupted(reason: str, message: str = "") -> list[dict[str, Any]]:
    return [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}]
