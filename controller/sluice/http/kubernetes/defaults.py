"""What a Kubernetes API server fills in for its own kinds before it stores them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from sluice.api.kinds import SECRET, KindInfo
from sluice.http.kubernetes.errors import bad_request
from sluice.ports.store import Obj


def fill_in(obj: Obj, kind: KindInfo) -> Obj:
    """``obj`` with the defaults of its kind; changed in place."""
    fill = _FILLS.get(kind)
    if fill is not None:
        fill(obj)
    return obj


def fold_string_data(obj: Obj) -> Obj:
    """Write a Secret's ``stringData`` into ``data``, where alone it is kept; of patches too."""
    given = obj.pop("stringData", None)
    if given is None:
        return obj
    if not isinstance(given, dict):
        raise bad_request("stringData: must be a map of strings")
    data: dict[str, Any] = obj["data"] if isinstance(obj.get("data"), dict) else {}
    for key, value in given.items():
        if value is not None and not isinstance(value, str):
            raise bad_request(f"stringData.{key}: must be a string; quote it")
        data[key] = None if value is None else base64.b64encode(value.encode()).decode()
    obj["data"] = data
    return obj


def _fill_secret(obj: Obj) -> None:
    fold_string_data(obj)
    obj.setdefault("type", "Opaque")


_FILLS: dict[KindInfo, Callable[[Obj], None]] = {SECRET: _fill_secret}
