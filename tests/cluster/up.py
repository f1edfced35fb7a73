"""A test cluster in the foreground, to try things by hand: ``python -m tests.cluster.up``; Ctrl-C takes it down.

It prints how to use it. Sluice's kinds and admission policies are on it. ``--node`` adds a real node, which runs pods and
has Sluice's image as this work tree makes it; with ``--policies`` NetworkPolicies bind there. ``--kwok 10`` adds simulated
nodes, which run pods that nothing runs in.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.cluster import Running, Shape, cluster, prepare
from tests.cluster.debian import MissingPackage
from tests.cluster.families import BuildError
from tests.cluster.images import BUSYBOX, sluice_name
from tests.cluster.janitor import FOLDER, Janitor
from tests.cluster.network import NetworkError
from tests.cluster.processes import ProcessError
from tests.cluster.simulated import DONE, FAILED, PLAYED


def main(arguments: list[str]) -> int:
    """Run until Ctrl-C; 1 with the reason if it can't start."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.up", description=__doc__)
    parser.add_argument(
        "--node", metavar="N", type=int, nargs="?", default=0, const=1, help="so many real nodes; needs root"
    )
    parser.add_argument("--kwok", metavar="N", type=int, default=0, help="so many simulated nodes")
    parser.add_argument("--policies", action="store_true", help="NetworkPolicies bind on the real nodes")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep data and logs there, also afterwards")
    parser.add_argument("--prepare", action="store_true", help="only make what is made once and kept, and end")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started, shape = time.monotonic(), Shape(nodes=given.node, simulated=given.kwok, policies=given.policies)
    try:
        if given.prepare:
            prepare(shape)
            return 0
        with _folder(given.keep) as folder, cluster(folder, shape) as running:
            _tell(running, time.monotonic() - started)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    except (BuildError, MissingPackage, NetworkError, ProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.absolute()
        return
    with Janitor() as janitor:
        folder = Path(tempfile.mkdtemp(prefix="sluice-up-"))
        janitor.remember(FOLDER, folder)
        yield folder


def _tell(running: Running, seconds: float) -> None:
    told = [f"export KUBECONFIG={running.plane.kubeconfig}", f"alias kubectl={running.kubectl.kubectl}"]
    if running.simulator:
        told.append(f"# simulated pods run until: kubectl annotate pod NAME {PLAYED}={DONE} (or {FAILED})")
    if running.network:
        told.append(f"# images (imagePullPolicy: Never): {sluice_name()} {BUSYBOX}")
        told.append(
            f"# pods reach this machine at {running.network.host}; it reaches pods and Services by their addresses"
        )
    told.append(f"# up in {seconds:.0f} s. Data and logs: {running.plane.folder}. Ctrl-C takes it all down.")
    sys.stdout.write("\n".join(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
