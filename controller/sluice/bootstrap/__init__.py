"""The composition root: only here is it known which adapter serves which port."""

from __future__ import annotations

from pathlib import Path


def up(directory: Path | None, *, data: Path, listen: str, namespace: str = "default") -> int:
    """``sluice up``; see ``program.up``. Imported when called, since it needs everything."""
    from sluice.bootstrap.program import up as run  # noqa: PLC0415

    return run(directory, data=data, listen=listen, namespace=namespace)
