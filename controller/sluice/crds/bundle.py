"""Schemas and printer columns as the program reads them when it runs.

They are generated from the models and kept as JSON beside this module, so that a server starts in milliseconds without
building the models.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson

BUNDLE = Path(__file__).with_name("bundle.json")


def schemas() -> dict[str, dict[str, Any]]:
    """The structural schema of each kind, by kind; shared, so never changed."""
    return {kind: entry["schema"] for kind, entry in _loaded().items()}


def printer_columns() -> dict[str, list[dict[str, Any]]]:
    """The printer columns of each kind, by kind, as CustomResourceDefinitions state them; shared, so never changed."""
    return {kind: entry["columns"] for kind, entry in _loaded().items()}


@cache
def _loaded() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = orjson.loads(BUNDLE.read_bytes())
    return loaded
