"""Landlock: a process gives up the file system, but for what it names. Linux 5.13 and later, no privilege needed.

Constants and structures are those of ``linux/landlock.h``. What an older kernel does not know is left out, so the
protection is always the most that the machine offers.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Callable, Iterable
from functools import cache

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 1 << 1, 1 << 2, 1 << 3
_BASE_RIGHTS = (1 << 13) - 1
_RIGHTS_SINCE = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
_READ = _READ_FILE | _READ_DIR
_TCP = 0b11
_SCOPES = 0b11


def supported_version() -> int:
    """The kernel's Landlock version; 0 where there is none."""
    return max(0, _system_call(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG))


def restrict(*, read: Iterable[str], write: Iterable[str]) -> bool:
    """Give up all files but these folders, TCP, and signals to others; for good. False where the kernel can't.

    ``no_new_privs`` must be set. Folders that don't exist are left out.
    """
    version = supported_version()
    if version == 0:
        return False
    rights = _BASE_RIGHTS | sum(bit for since, bit in _RIGHTS_SINCE.items() if version >= since)
    attributes = struct.pack("=QQQ", rights, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _system_call(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    try:
        for path in read:
            _allow(ruleset, path, _READ)
        for path in write:
            _allow(ruleset, path, rights & ~_EXECUTE)
        return _system_call(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = rights if stat.S_ISDIR(os.fstat(folder).st_mode) else rights & _FILE_RIGHTS
        _system_call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, folder), 0)
    finally:
        os.close(folder)


def _system_call(number: int, *arguments: object) -> int:
    return int(_syscall()(ctypes.c_long(number), *arguments))


@cache
def _syscall() -> Callable[..., int]:
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    return syscall
