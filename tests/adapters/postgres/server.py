"""A PostgreSQL server of the tests' own: temporary data, a Unix socket, gone when they are."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

INSTALL = "these tests need PostgreSQL's server: on Debian and Ubuntu, apt-get install postgresql"
SECONDS_TO_START = 60
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
}
_schemas = itertools.count(1)


class Server:
    """A running server; ``url`` leads to an empty database."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self._socket = folder
        self._settings = {**_SETTINGS, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        account = _account()
        shutil.chown(folder, account, account) if account else None
        _run([_program("initdb"), "-D", str(self._data), "-U", "sluice", "-A", "trust", "-E", "UTF8", "--no-sync"])
        self.url = f"host={folder} dbname=postgres user=sluice"
        self.start()

    def start(self) -> None:
        """Start and wait until it answers."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        command = [_program("postgres"), "-D", str(self._data), "-k", str(self._socket), *settings]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(_as_account(command), stdout=log, stderr=log, cwd="/")
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()}") from error
                _poll(self._process)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT leaves a clean folder, SIGQUIT is a crash that is recovered from."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def new_schema(self) -> str:
        """A name that no test has used."""
        return f"test_{next(_schemas)}"


@contextlib.contextmanager
def running(**settings: str) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="sluice-pg-"))
    server: Server | None = None
    try:
        server = Server(folder, **settings)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder)


def _poll(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.05)


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        raise RuntimeError(f"there is no {name}: {INSTALL}")
    return program


def _account() -> str | None:
    """PostgreSQL does not run as root: then it is Debian's account for it, or nobody's."""
    if os.geteuid() != 0:
        return None
    accounts = Path("/etc/passwd").read_text().splitlines()
    return "postgres" if any(line.startswith("postgres:") for line in accounts) else "nobody"


def _as_account(command: list[str]) -> list[str]:
    """The server dies with the tests, even when they are killed."""
    account = _account()
    change = ["--reuid", account, "--regid", account, "--clear-groups"] if account else []
    return ["setpriv", *change, "--pdeathsig", "QUIT", *command]


def _run(command: list[str]) -> None:
    done = subprocess.run(_as_account(command), capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr or done.stdout}")
