"""What a step prints: the last 64 KiB of it."""

from __future__ import annotations

from sluice.steps.outcome import MAX_LOG

_CUT = "... (earlier lines left out)\n"


class Log:
    """Collects text and forgets its beginning, so that endless printing costs no memory."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._cut = False

    def write(self, text: str) -> None:
        """Add text; the way in for ``print``."""
        self._parts.append(text[-MAX_LOG:])
        self._size += min(len(text), MAX_LOG)
        self._cut = self._cut or len(text) > MAX_LOG
        if self._size > 2 * MAX_LOG:
            self._shorten("".join(self._parts))

    def print(self, *values: object, sep: str | None = " ", end: str | None = "\n", **_: object) -> None:
        """Python's ``print`` into this log; ``file`` and ``flush`` mean nothing here."""
        separator = " " if sep is None else sep
        self.write(separator.join(map(str, values)) + ("\n" if end is None else end))

    def text(self) -> str:
        """The last lines, at most 64 KiB encoded; half characters are replaced."""
        whole = "".join(self._parts).encode("utf-8", "replace")
        if len(whole) <= MAX_LOG and not self._cut:
            return whole.decode()
        kept = whole[len(_CUT) - MAX_LOG :].decode("utf-8", "ignore")
        return _CUT + kept

    def _shorten(self, text: str) -> None:
        self._parts = [text[-MAX_LOG:]]
        self._size = len(self._parts[0])
        self._cut = True
