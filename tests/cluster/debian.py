"""Programs that come with Debian: each with the package to install where it is missing."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGES = {
    "/usr/sbin/runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "/usr/sbin/debootstrap": "debootstrap",
    "/usr/sbin/nft": "nftables",
    "/usr/sbin/ip": "iproute2",
    "/usr/bin/nsenter": "util-linux",
    "/usr/sbin/iptables": "iptables",
    "/usr/sbin/ipset": "ipset",
}


class MissingPackage(Exception):
    """A program is not installed, or may not be used; the message says what to do."""


def need(*programs: str) -> None:
    """MissingPackage with the command that installs all of them that are missing."""
    missing = sorted({PACKAGES[program] for program in programs if not Path(program).exists()})
    if missing:
        raise MissingPackage(f"a real node needs {' '.join(missing)}: apt-get install --yes {' '.join(missing)}")


def need_root(what: str) -> None:
    """MissingPackage where the caller is not root."""
    if os.geteuid() != 0:
        raise MissingPackage(f"{what} needs root: it makes namespaces, mounts, control groups and network interfaces")
