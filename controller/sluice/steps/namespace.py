"""The names that a Python step's code finds: curated built-ins and the importable modules.

Code gets a view of each module with its public names only, for modules hold the modules that they import themselves
(``uuid.os``). `domain.definition.python_rules` is the list; here it is made real.
"""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from sluice.domain.definition.python_rules import BUILTINS, IMPORTABLE, allowed_modules

_OWN_PRINT = "print"
_PACKAGES = frozenset(module.rpartition(".")[0] for module in IMPORTABLE) - {""}
_ALSO_PUBLIC = {"hashlib": ("scrypt",)}


class _View(ModuleType):
    """A module's public names; what code assigns to them would be seen by other steps, so it can't."""

    def __setattr__(self, name: str, _: object) -> None:
        raise AttributeError(f"{self.__name__}.{name} can't be set: modules are shared")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{self.__name__}.{name} can't be removed: modules are shared")


def new_builtins(write: Callable[..., None]) -> dict[str, Any]:
    """Built-ins for one execution; ``write`` stands for ``print``."""
    return {**_curated(), _OWN_PRINT: write}


def load_modules() -> None:
    """Import everything importable now, so that a forked worker needs no file for it."""
    for name in IMPORTABLE:
        importlib.import_module(name)
    importlib.import_module("_strptime")


@cache
def _curated() -> Mapping[str, Any]:
    names = {name: getattr(builtins, name) for name in BUILTINS if name != _OWN_PRINT and hasattr(builtins, name)}
    return {**names, "__import__": _import, "__name__": "step"}


def _import(name: str, *rest: Any) -> ModuleType:
    """What an import statement of a step's code calls. The code itself can't name it: `python_rules` sees to that.

    Python's own C code comes through here too (``strftime`` imports ``time``), with a list where a statement has a tuple
    or None; it looks the module up by itself afterwards, so nothing needs to be handed out. ``rest`` is globals, locals,
    fromlist and level, as the language has it.
    """
    names_from_it = rest[2] if len(rest) > 2 else ()
    if isinstance(names_from_it, list):
        importlib.import_module(name)
        return _View(name)
    if name in IMPORTABLE or name in _PACKAGES:
        return _view(name if names_from_it else name.partition(".")[0])
    raise ImportError(f"the module {name} can't be imported; importable are {allowed_modules()}")


@cache
def _view(name: str) -> ModuleType:
    """The view of a module; of a package that is not importable itself, one that holds its importable parts."""
    view = _View(name)
    names = _public_names(importlib.import_module(name)) if name in IMPORTABLE else {}
    parts = {part.removeprefix(f"{name}."): _view(part) for part in IMPORTABLE if part.rpartition(".")[0] == name}
    view.__dict__.update(names | parts)
    view.__dict__["__all__"] = sorted(names | parts)
    return view


def _public_names(module: ModuleType) -> dict[str, Any]:
    listed = getattr(module, "__all__", None)
    names = [*listed, *_ALSO_PUBLIC.get(module.__name__, ())] if listed is not None else dir(module)
    found = {name: getattr(module, name) for name in names if not name.startswith("_") and hasattr(module, name)}
    return {name: value for name, value in found.items() if not isinstance(value, ModuleType)}
