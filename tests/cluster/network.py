"""The network of a cluster with real nodes: a bridge on this machine that all of them hang on, and who has which addresses.

Each network is a 10.N.0.0/16 of its own, so several clusters run side by side; a bridge is made at once or not at all,
so two that start together never take the same one.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

NUMBERS = range(100, 200)


class NetworkError(Exception):
    """The machine's network could not be set up; the message is that of ``ip``."""


@dataclass(frozen=True, slots=True)
class Network:
    """The addresses of one cluster. Nodes are counted from 1."""

    number: int

    @property
    def bridge(self) -> str:
        """The name of its interface."""
        return f"sluice{self.number}"

    @property
    def host(self) -> str:
        """The address of this machine: what runs here is reached by it from every node and pod."""
        return f"10.{self.number}.0.1"

    @property
    def services(self) -> str:
        """Where Services get their addresses."""
        return f"10.{self.number}.64.0/20"

    @property
    def dns(self) -> str:
        """The address of the Service that resolves names."""
        return f"10.{self.number}.64.10"

    @property
    def all_pods(self) -> str:
        """The addresses of pods on all nodes."""
        return f"10.{self.number}.128.0/17"

    def node(self, index: int) -> str:
        """The address of a node."""
        return f"10.{self.number}.0.{index + 1}"

    def pods(self, index: int) -> str:
        """The addresses of pods on a node."""
        return f"10.{self.number}.{128 + index}.0/24"


def create() -> Network:
    """Take addresses that nobody here uses, and make the bridge; NetworkError if that can't be done."""
    taken = {route["dst"] for route in json.loads(ip("-json", "route", "show", "table", "all"))}
    failure = ""
    for number in NUMBERS:
        network = Network(number)
        if any(destination.startswith(f"10.{number}.") for destination in taken):
            continue
        try:
            ip("link", "add", network.bridge, "type", "bridge")
        except NetworkError as error:
            failure = str(error)
            continue
        ip("address", "add", f"{network.host}/24", "dev", network.bridge)
        ip("link", "set", network.bridge, "up")
        return network
    raise NetworkError(f"no bridge could be made in 10.{NUMBERS[0]}.0.0 to 10.{NUMBERS[-1]}.0.0: {failure}")


def ip(*words: str) -> str:
    """What ``ip`` says; NetworkError if it refuses."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NetworkError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
