"""How a verb ends when it does not do what it was asked: one clear line, and an exit code.

0 done, 1 it failed (a run that failed too), 2 the input is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FAILED = 1
WRONG = 2
WRONG_REASONS = frozenset({"Invalid", "BadRequest", "UnsupportedMediaType", "RequestEntityTooLarge"})
"""Kubernetes' words for answers that blame the request."""


class CliError(Exception):
    """Root of what a verb says instead of a traceback."""

    exit_code = FAILED


class Failed(CliError):
    """It could not be done now; the message says why and what to do."""


class Wrong(CliError):
    """What was given makes no sense; the message names it and says what would."""

    exit_code = WRONG


class Unreachable(CliError):
    """No server answers."""


class Broken(Unreachable):
    """A connection ended in the middle of an answer."""


class Refused(CliError):
    """The server said no, by a ``Status`` object. ``reason`` is Kubernetes' word, ``code`` that of HTTP; ``about`` is the
    plural of what it is about, empty where that is not said."""

    def __init__(self, status: Mapping[str, Any], code: int) -> None:
        self.code = code
        self.reason = str(status.get("reason") or "")
        self.about = str((status.get("details") or {}).get("kind") or "")
        self.causes = tuple((status.get("details") or {}).get("causes") or ())
        super().__init__(status_text(status, code))
        self.exit_code = WRONG if self.reason in WRONG_REASONS else FAILED


def status_text(status: Mapping[str, Any], code: int) -> str:
    """A Status object as a line, and one more line for each cause that the line doesn't already tell."""
    message = str(status.get("message") or f"the server answered {code}")
    lines = [message]
    for cause in (status.get("details") or {}).get("causes") or ():
        told = str(cause.get("message") or cause.get("reason") or "")
        field = str(cause.get("field") or "")
        if told not in message or field not in message:
            lines.append(f"  {field}: {told}" if field else f"  {told}")
    return "\n".join(lines)
