"""What an API server was asked, by its own counters, and what a cluster's programs have spent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.processes import descendants, parents, spent
from sluice.adapters.kubernetes.transport import Transport

_ASKED = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Tally:
    """Requests by ``verb resource``, and seconds on a processor by program."""

    requests: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def __sub__(self, other: Tally) -> Tally:
        seconds = {name: value - other.seconds.get(name, 0.0) for name, value in self.seconds.items()}
        return Tally(self.requests - other.requests, seconds)


def tally(transport: Transport, programs: Mapping[str, int]) -> Tally:
    """Everything so far; ``programs`` are the process ids of what is looked at by name, each with its children."""
    parent_of = parents()
    seconds = {name: sum(spent(one).seconds for one in descendants([pid], parent_of)) for name, pid in programs.items()}
    return Tally(requests_in(transport.send("GET", "/metrics").decode()), seconds)


def requests_in(metrics: str) -> Counter[str]:
    """Requests by verb and resource, such as ``PATCH workflowruns/status``; watches are left out, for they end late."""
    found: Counter[str] = Counter()
    for labels, value in _ASKED.findall(metrics):
        named = dict(_LABEL.findall(labels))
        if named.get("verb") == "WATCH" or not named.get("resource"):
            continue
        what = "/".join(part for part in (named["resource"], named.get("subresource", "")) if part)
        found[f"{named['verb']} {what}"] += int(float(value))
    return found
