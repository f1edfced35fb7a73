"""seccomp: a process gives up system calls that no step's code needs. Linux on x86-64 and 64-bit ARM.

The filter is a list of refusals, each answered with EPERM: starting processes or programs, sockets, signals to others,
tracing, mounting, namespaces, kernel keys and modules. Numbers are those of ``asm/unistd_64.h`` and
``asm-generic/unistd.h``.
"""

from __future__ import annotations

import ctypes
import platform
import struct

_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_OWN_NUMBERS = {
    "x86_64": {
        "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "socket": 41, "socketpair": 53,
        "connect": 42, "bind": 49, "kill": 62, "tkill": 200, "ptrace": 101, "process_vm_readv": 310,
        "process_vm_writev": 311, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272,
        "setns": 308, "bpf": 321, "perf_event_open": 298, "add_key": 248, "request_key": 249, "keyctl": 250,
        "init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246, "reboot": 169,
        "swapon": 167, "swapoff": 168, "userfaultfd": 323, "open_by_handle_at": 304, "memfd_create": 319,
        "setsid": 112, "setpgid": 109, "personality": 135,
    },
    "aarch64": {
        "clone": 220, "execve": 221, "execveat": 281, "socket": 198, "socketpair": 199, "connect": 203, "bind": 200,
        "kill": 129, "tkill": 130, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "mount": 40,
        "umount2": 39, "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268, "bpf": 280,
        "perf_event_open": 241, "add_key": 217, "request_key": 218, "keyctl": 219, "init_module": 105,
        "finit_module": 273, "delete_module": 106, "kexec_load": 104, "reboot": 142, "swapon": 224, "swapoff": 225,
        "userfaultfd": 282, "open_by_handle_at": 265, "memfd_create": 279, "setsid": 157, "setpgid": 154,
        "personality": 92,
    },
}  # fmt: skip
_SHARED_NUMBERS = {"pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427}
_SHARED_NUMBERS |= {"open_tree": 428, "move_mount": 429, "fsopen": 430, "clone3": 435, "pidfd_getfd": 438}

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET = 0, 4
_FOREIGN_NUMBERS = 0x40000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def refuse_system_calls() -> bool:
    """Install the filter, for good; ``no_new_privs`` must be set. False where the machine can't."""
    machine = platform.machine()
    if machine not in _ARCHITECTURE:
        return False
    program = filter_program(machine)
    buffer = ctypes.create_string_buffer(program, len(program))
    described = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    return int(ctypes.CDLL(None, use_errno=True).prctl(_SET_SECCOMP, _FILTER, ctypes.byref(described), 0, 0)) == 0


def filter_program(machine: str) -> bytes:
    """The filter as classic BPF, eight bytes an instruction. Another architecture's calls end the process."""
    numbers = sorted({*_OWN_NUMBERS[machine].values(), *_SHARED_NUMBERS.values()})
    refusal = len(numbers) + 1
    program = [
        _instruction(_LOAD, _ARCHITECTURE_OFFSET),
        _instruction(_EQUAL, _ARCHITECTURE[machine], yes=1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER_OFFSET),
        _instruction(_AT_LEAST, _FOREIGN_NUMBERS, yes=refusal),
    ]
    program += [_instruction(_EQUAL, number, yes=len(numbers) - index) for index, number in enumerate(numbers)]
    program += [_instruction(_RETURN, _ALLOW), _instruction(_RETURN, _REFUSE)]
    return b"".join(program)


def _instruction(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
