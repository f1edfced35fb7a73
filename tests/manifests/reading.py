"""Reading installations: objects by what names them, and what the containers of a Deployment say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

Obj = dict[str, Any]
Identity = tuple[str, str, str]
"""Kind, namespace and name."""


def identity(obj: Obj) -> Identity:
    return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def by_identity(objects: Iterable[Obj]) -> dict[Identity, Obj]:
    """Each once; two of one name are a failure."""
    found: dict[Identity, Obj] = {}
    for obj in objects:
        assert identity(obj) not in found, f"{identity(obj)} twice"
        found[identity(obj)] = obj
    return found


def read(text: str) -> dict[Identity, Obj]:
    """The objects of a stream of YAML documents."""
    return by_identity(obj for obj in yaml.load_all(text, yaml.CSafeLoader) if obj is not None)


def only(kind: str, objects: Iterable[Obj]) -> Obj:
    """The one object of this kind."""
    (found,) = [obj for obj in objects if obj["kind"] == kind]
    return found


def pod(objects: Iterable[Obj]) -> Obj:
    """The pod that the Deployment makes, as its template says."""
    template: Obj = only("Deployment", objects)["spec"]["template"]
    return template


def container(objects: Iterable[Obj]) -> Obj:
    (found,) = pod(objects)["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def environment(objects: Iterable[Obj]) -> dict[str, Any]:
    """What each variable of the controller is, or where it comes from."""
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container(objects)["env"]}
