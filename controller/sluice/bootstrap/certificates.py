"""The certificates that one replica serves with, and whoever must know them."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from ssl import SSLContext

from sluice.adapters.kubernetes.authority import Authority
from sluice.adapters.kubernetes.periodic import Periodic
from sluice.adapters.kubernetes.serving import ServingContext
from sluice.adapters.kubernetes.transport import Transport
from sluice.adapters.kubernetes.webhook import inject
from sluice.ports.errors import PortError

LOOK_S = 600.0
"""How often it is looked whether there are other certificates."""

log = logging.getLogger(__name__)


class Certificates:
    """Made at once where there are none; looked at from ``start`` to ``close``, and shown to new connections when renewed."""

    def __init__(self, authority: Authority, webhook: Transport, is_leading: Callable[[], bool]) -> None:
        """``webhook`` writes whom the API server trusts as the validating webhook, if ``is_leading``."""
        self._authority = authority
        self._webhook = webhook
        self._is_leading = is_leading
        self._current = authority.refresh()
        self._serving = ServingContext(self._current)
        self._heard: list[Callable[[str], None]] = []
        self._thread = Periodic("certificates", self._refresh, LOOK_S)

    @property
    def authorities(self) -> str:
        """What to know this controller by, in PEM."""
        return self._current.authorities

    @property
    def ends(self) -> dt.datetime:
        """When the one that is shown is over."""
        return self._current.ends

    @property
    def context(self) -> SSLContext:
        """For a server; it shows what is newest."""
        return self._serving.context

    def on_renewal(self, hear: Callable[[str], None]) -> None:
        """Call ``hear`` with the authorities after each look."""
        self._heard.append(hear)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more. Safe to call twice, and without a start."""
        self._thread.close()

    def spread(self) -> None:
        """Tell the API server whom to trust. What can't be told now is told at the next look."""
        try:
            inject(self._webhook, self._current.authorities)
        except PortError as error:
            log.warning("the validating webhook could not be told whom to trust: %s", error)

    def _refresh(self) -> None:
        """What can't be had now is no reason to stop: what there is lasts for weeks."""
        try:
            self._current = self._authority.refresh()
        except PortError as error:
            log.warning("the certificates could not be looked at: %s", error)
            return
        self._serving.load(self._current)
        for hear in self._heard:
            hear(self._current.authorities)
        if self._is_leading():
            self.spread()
