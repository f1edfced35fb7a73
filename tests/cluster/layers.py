"""Layers of images, each a tar file that is made once: Debian with Python, what Sluice depends on, Sluice itself, busybox.

A layer is kept under a name that tells its content, so after a change of the code only the layer with the code is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.cluster.archive import Layer, digest_of
from tests.cluster.build import cache_folder, program
from tests.cluster.debian import need
from tests.cluster.families import BuildError
from tests.cluster.installation import ROOT

SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"
PACKAGES = ("ca-certificates", "python3")
PYTHON = "3.11"
"""The one that comes with SUITE."""
HOME = "opt/sluice"
"""A virtual environment, but for the Python in it, which is Debian's."""
SITE_PACKAGES = f"{HOME}/lib/python{PYTHON}/site-packages"
USER = 65532
LEFT_OUT = (
    *("dev", "proc", "sys", "tmp", "var/cache", "var/lib/apt/lists", "var/log"),
    *(f"usr/share/{name}" for name in ("doc", "info", "locale", "man", "lintian")),
)
"""Folders of Debian that are empty in the image: the half that nothing runs from."""
GLIBC = range(17, 37)
"""Minor versions of the C library for which SUITE runs what was built."""
KEPT = 8
"""Layers of one name; a change of the code makes one more, and somebody may still be using those before it."""
EXTRAS = ("cluster", "postgres")
VENV_SETTINGS = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {PYTHON}\n"
PROGRAM = f"#!/{HOME}/bin/python\nimport sys\nfrom sluice.cli.main import main\nsys.exit(main())\n"


def debian_layer() -> Layer:
    """Debian with Python, and a user for Sluice; about 160 MB, and a minute to make."""
    need("/usr/sbin/debootstrap")

    def make(folder: Path) -> None:
        included = f"--include={','.join(PACKAGES)}"
        _run("debootstrap", "--variant=minbase", included, SUITE, str(folder), MIRROR)
        for name, line in (
            ("passwd", f"sluice:x:{USER}:{USER}::/tmp:/usr/sbin/nologin"),
            ("group", f"sluice:x:{USER}:"),
        ):
            with (folder / "etc" / name).open("a") as file:
                file.write(f"{line}\n")

    return _layer("debian", repr((SUITE, PACKAGES, USER, LEFT_OUT)), make)


def dependencies_layer() -> Layer:
    """What Sluice needs on a cluster, as wheels for Debian's Python, whichever Python makes them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for extra in EXTRAS for one in project["optional-dependencies"][extra]]
    wanted = sorted([*project["dependencies"], *extras])
    machine = platform.machine()
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in GLIBC] + [
        f"--platform=manylinux2014_{machine}"
    ]
    chosen = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", "--abi=cp311", *platforms]

    def make(folder: Path) -> None:
        _pip("install", "--target", str(folder / SITE_PACKAGES), *_compiled(), *chosen, *wanted)
        shutil.rmtree(folder / SITE_PACKAGES / "bin", ignore_errors=True)
        programs = folder / HOME / "bin"
        programs.mkdir()
        (folder / HOME / "pyvenv.cfg").write_text(VENV_SETTINGS)
        for name in ("python", "python3", f"python{PYTHON}"):
            (programs / name).symlink_to(f"/usr/bin/python{PYTHON}")
        (programs / "sluice").write_text(PROGRAM)
        (programs / "sluice").chmod(0o755)

    return _layer("dependencies", repr((wanted, chosen, _compiled(), VENV_SETTINGS, PROGRAM)), make)


def sluice_layer() -> Layer:
    """This repository's wheel, installed."""
    content = hashlib.sha256(repr(_compiled()).encode())
    for path in _sources():
        content.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as made:  # a build writes beside the sources, and others work there
            for path in _sources():
                copied = Path(made) / "sources" / path.relative_to(ROOT)
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copied)
            _pip("wheel", "--no-deps", "--wheel-dir", made, f"{made}/sources")
            wheel = next(Path(made).glob("*.whl"))
            _pip("install", "--no-deps", "--target", str(folder / SITE_PACKAGES), *_compiled(), str(wheel))
        shutil.rmtree(folder / SITE_PACKAGES / "bin", ignore_errors=True)
        (folder / "var" / "lib" / "sluice").mkdir(parents=True)

    return _layer("sluice", content.hexdigest(), make)


def busybox_layer() -> Layer:
    """A shell and the usual commands, one static program of Debian's."""

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as made:
            _run("apt-get", "download", "--quiet", "busybox-static", folder=Path(made))
            _run("dpkg-deb", "--extract", str(next(Path(made).glob("*.deb"))), made)
            (folder / "bin").mkdir()
            shutil.copy2(Path(made) / "bin" / "busybox", folder / "bin")
        for name in _run(str(folder / "bin" / "busybox"), "--list").split():
            if name != "busybox":
                (folder / "bin" / name).symlink_to("busybox")
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o1777)

    return _layer("busybox", f"{SUITE} with /tmp", make)


def program_layer(name: str) -> Layer:
    """A static program that is built here, and nothing else."""
    built = program(name)
    return _layer(name, built.parent.name, lambda folder: shutil.copy2(built, folder))


def _layer(name: str, content: str, make: Callable[[Path], object]) -> Layer:
    """What ``make`` puts into a folder; made unless there is a layer of the same content."""
    folder = cache_folder() / "layers"
    folder.mkdir(parents=True, exist_ok=True)
    layer = folder / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}.tar"
    digest = layer.with_suffix(".digest")
    with (folder / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not layer.exists():
            sys.stderr.write(f"making the layer {name}, which is kept\n")
            with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-") as made:
                content_folder, unfinished = Path(made) / "content", Path(made) / "layer.tar"
                content_folder.mkdir()
                make(content_folder)
                _pack(content_folder, unfinished)
                unfinished.rename(layer)
            for old in sorted(folder.glob(f"{name}-*.tar"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
                old.unlink()
                old.with_suffix(".digest").unlink(missing_ok=True)
        if not digest.exists():
            digest.write_text(digest_of(layer))
    return Layer(layer, digest.read_text())


def _pack(folder: Path, layer: Path) -> None:
    with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name, filter=_entry)


def _entry(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Everything is root's, but for the folder of the ledger; and what nothing runs from is left out."""
    if any(entry.name.startswith(f"{name}/") for name in LEFT_OUT):
        return None
    entry.uid = entry.gid = USER if entry.name == "var/lib/sluice" else 0
    entry.uname = entry.gname = ""
    return entry


def _sources() -> Iterator[Path]:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        yield ROOT / name
    for path in sorted((ROOT / "controller" / "sluice").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield path


def _compiled() -> list[str]:
    """Modules are compiled where the same Python does it; the image's file system may be read only."""
    return [] if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON else ["--no-compile"]


def _pip(*words: str) -> None:
    _run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words)


def _run(*command: str, folder: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:]
        raise BuildError(f"{' '.join(command)[:200]} failed:\n{said}")
    return done.stdout
