"""The composition root: only here is it known which adapter serves which port."""

from __future__ import annotations

from pathlib import Path

from sluice.bootstrap.options import Options


def up(directory: Path | None, *, data: Path, listen: str, namespace: str = "default") -> int:
    """``sluice up``; see ``program.up``. Imported when called, since it needs everything."""
    from sluice.bootstrap.program import up as run  # noqa: PLC0415

    return run(directory, data=data, listen=listen, namespace=namespace)


def control(options: Options) -> int:
    """``sluice controller``; see ``controller.control``."""
    from sluice.bootstrap.controller import control as run  # noqa: PLC0415

    return run(options)


__all__ = ["Options", "control", "up"]
