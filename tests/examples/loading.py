"""Loads the Python files of examples, which are no package."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.examples.served import EXAMPLES


def load(path: str) -> ModuleType:
    """The module of a file below examples/."""
    file = EXAMPLES / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
