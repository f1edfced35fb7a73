"""A test cluster in the foreground, to try things by hand: ``python -m tests.cluster.up``; Ctrl-C takes it down.

It prints how to use it. Sluice's kinds and admission policies are on it.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.build import program, programs
from tests.cluster.control_plane import Options, running
from tests.cluster.families import CONTROL_PLANE, BuildError
from tests.cluster.installation import Cluster, install
from tests.cluster.processes import ProcessError


def main(arguments: list[str]) -> int:
    """Run until Ctrl-C; 1 with the reason if it can't start."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.up", description=__doc__)
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep all data and logs there, also afterwards")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        programs(*CONTROL_PLANE, "kube-scheduler")
        with _folder(given.keep) as folder, running(folder, Options(scheduler=True)) as plane:
            install(Cluster(program("kubectl"), plane.kubeconfig))
            _say(f"export KUBECONFIG={plane.kubeconfig}")
            _say(f"alias kubectl={program('kubectl')}")
            _say(f"# data and logs: {folder}. Ctrl-C takes it all down.")
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    except (BuildError, ProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    folder = kept.absolute() if kept else Path(tempfile.mkdtemp(prefix="sluice-up-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
