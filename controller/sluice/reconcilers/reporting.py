"""Writing what was found out: at most one status write per reconcile, none when nothing changed."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from sluice.ports.store import Obj
from sluice.reconcilers.world import CONTROLLER, World


def status_of(model: BaseModel) -> dict[str, Any]:
    """A status as the wire has it."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def write_status(world: World, obj: Obj, status: BaseModel | dict[str, Any]) -> Obj:
    """Store ``status`` with the resource version that ``obj`` was read at; answers with the object as it is then.

    Conflict when somebody wrote in between: the reconcile is done again from what is there then.
    """
    wanted = status_of(status) if isinstance(status, BaseModel) else status
    if obj.get("status") == wanted:
        return obj
    return world.store.update_status({**obj, "status": wanted}, manager=CONTROLLER)
