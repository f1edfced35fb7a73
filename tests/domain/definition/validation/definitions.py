"""Definitions for tests of validation, and what is found in them."""

from __future__ import annotations

from typing import Any

from sluice.domain.definition.validation.definitions import validate

Json = dict[str, Any]


def python(name: str, *needs: str, code: str = "output = 1", **more: Any) -> Json:
    """A Python step."""
    return {"name": name, "needs": list(needs), "action": {"python": {"code": code}}, **more}


def http(name: str, *needs: str, **more: Any) -> Json:
    """A step that sends a request; ``body`` and ``method`` go to the request."""
    request = {"url": "https://example.com/"} | {key: more.pop(key) for key in ("body", "method", "url") if key in more}
    return {"name": name, "needs": list(needs), "action": {"http": request}, **more}


def found(definition: Json) -> list[str]:
    """The findings as text, without the part of the field that all share."""
    return [str(finding).removeprefix("spec.definition.") for finding in validate(definition)]
