"""What kubectl builds of the folders is what `sluice install` prints, object by object."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sluice.manifests import Overlay, Settings, installed
from tests.manifests.reading import Identity, Obj, by_identity, read

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
COMPONENTS = {
    "webhook": Settings(webhook=True),
    "podmonitor": Settings(pod_monitor=True),
    "default-environment": Settings(default_environment=True),
}


def built(folder: Path) -> dict[Identity, Obj]:
    done = subprocess.run(["/usr/bin/kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return read(done.stdout)


@pytest.mark.parametrize("overlay", Overlay)
def test_an_overlay_is_what_install_prints(overlay: Overlay) -> None:
    assert built(MANIFESTS / "overlays" / overlay) == by_identity(installed(Settings(overlay=overlay)))


def test_the_folder_itself_is_the_default_overlay() -> None:
    assert built(MANIFESTS) == by_identity(installed(Settings()))


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_adds_what_its_option_adds(component: str, tmp_path: Path) -> None:
    place = os.path.relpath(MANIFESTS.resolve(), tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(
        f"resources: [{place}]\ncomponents: [{place}/components/{component}]\n"
    )
    assert built(tmp_path) == by_identity(installed(COMPONENTS[component]))
