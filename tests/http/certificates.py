"""A certificate for servers of tests, signed by itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from sluice.http.server import Tls

MAKE = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=sluice"


def make_certificate(folder: Path, *names: str) -> Tls:
    """For ``names`` as ``DNS:sluice.test`` or ``IP:127.0.0.1``; it is its own authority."""
    openssl = shutil.which("openssl")
    assert openssl is not None
    made = Tls(str(folder / "cert.pem"), str(folder / "key.pem"))
    files = ["-keyout", made.keyfile, "-out", made.certfile]
    command = [openssl, *MAKE.split(), "-addext", f"subjectAltName={','.join(names)}", *files]
    subprocess.run(command, check=True, capture_output=True)
    return made
