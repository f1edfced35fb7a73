"""Volumes of a template: which are refused, and where none may be mounted."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.launching.security import problems
from tests.domain.launching.builders import placement

Obj = dict[str, Any]
TYPES = "configMap, downwardAPI, emptyDir, ephemeral, persistentVolumeClaim, projected, secret"
DATA = {"name": "data", "emptyDir": {}}


def found(**runner: Any) -> list[str]:
    return [str(finding) for finding in problems(placement(runner=runner))]


def token(**given: Any) -> Obj:
    return {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token", **given}}]}}


@pytest.mark.parametrize(
    ("volume", "told"),
    [
        (
            {"name": "disk", "hostPath": {"path": "/"}},
            ".hostPath: is refused: a pod must not see its node's disk; use a persistentVolumeClaim",
        ),
        (
            {"name": "c", "csi": {"driver": "x"}},
            ".csi: is refused: its driver runs with a node's rights; use an ephemeral volume or a persistentVolumeClaim",
        ),
        (
            {"name": "n", "nfs": {"server": "x"}},
            ".nfs: is refused: use a persistentVolumeClaim of a PersistentVolume that names the server",
        ),
        ({"name": "g", "gitRepo": {}}, f".gitRepo: is refused: allowed are {TYPES}"),
        ({"name": "i", "image": {}}, f".image: is refused: allowed are {TYPES}"),
        ({"name": "e"}, f": a volume is exactly one of {TYPES}, with what belongs to it"),
        (
            {"name": "e", "emptyDir": {}, "secret": {}},
            f": a volume is exactly one of {TYPES}, with what belongs to it",
        ),
        ({"name": "e", "emptyDir": None}, f": a volume is exactly one of {TYPES}, with what belongs to it"),
        ({"name": "scratch", "emptyDir": {}}, ".name: scratch is the name of a volume of Sluice's own; choose another"),
        (
            {"name": "sluice-token", "emptyDir": {}},
            ".name: sluice-token is the name of a volume of Sluice's own; choose another",
        ),
        ({"name": "data", "emptyDir": {}}, ".name: data is the name of an earlier volume; choose another"),
        (
            {"emptyDir": {}},
            ".name: is required; write at most 63 lower-case letters, digits and -, a letter or digit at both ends",
        ),
        (
            {"name": "A", "emptyDir": {}},
            ".name: is required; write at most 63 lower-case letters, digits and -, a letter or digit at both ends",
        ),
        (
            {"name": "p", "projected": {}},
            ".projected.sources: is required; write the list of what is projected",
        ),
        (
            {"name": "p", "projected": {"sources": [{"podCertificate": {}}]}},
            ".projected.sources[0].podCertificate: is refused: allowed are "
            "clusterTrustBundle, configMap, downwardAPI, secret, serviceAccountToken",
        ),
        (
            token(audience="vault"),
            ".projected.sources[0].serviceAccountToken: is refused for the default service account; "
            "name another in spec.runner.serviceAccountName",
        ),
    ],
)
def test_a_volume_that_is_refused_is_told_with_what_to_write(volume: Obj, told: str) -> None:
    assert found(volumes=[DATA, volume]) == [f"spec.runner.volumes[1]{told}"]


def test_a_token_of_an_account_that_was_lent_is_mounted_but_never_one_for_the_controller() -> None:
    lent = {"serviceAccountName": "deployer"}
    assert found(volumes=[token()], **lent) == []
    assert found(volumes=[token(audience="vault")], **lent) == []
    assert found(volumes=[token(audience="sluice")], **lent) == [
        "spec.runner.volumes[0].projected.sources[0].serviceAccountToken.audience: tokens for sluice are the runner's alone; "
        "name the audience that the step talks to"
    ]


HIDES_TOKEN = "would hide /var/run/secrets/sluice.dev, which is the runner's; mount elsewhere"
HIDES_SCRATCH = "would hide /scratch, which is the runner's; mount elsewhere"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", HIDES_TOKEN),
        ("/var", HIDES_TOKEN),
        ("/var/run", HIDES_TOKEN),
        ("/run", HIDES_TOKEN),
        ("/run/secrets/", HIDES_TOKEN),
        ("/var/run/secrets/sluice.dev/more", HIDES_TOKEN),
        ("//run//secrets", HIDES_TOKEN),
        ("/scratch", HIDES_SCRATCH),
        ("/scratch/in", HIDES_SCRATCH),
        ("/./scratch", HIDES_SCRATCH),
        ("/proc", "/proc is the system's; mount elsewhere"),
        ("/sys/fs/cgroup", "/sys/fs/cgroup is the system's; mount elsewhere"),
        ("/dev/shm", "/dev/shm is the system's; mount elsewhere"),
        ("data", "must be a path that begins with /, without : and .."),
        ("/a/../scratch", "must be a path that begins with /, without : and .."),
        ("/a:b", "must be a path that begins with /, without : and .."),
        (None, "must be a path that begins with /, without : and .."),
        ("/first/", "/first/ is mounted already; mount each volume at a path of its own"),
    ],
)
def test_a_path_that_is_taken_or_none_is_told(path: str | None, words: str) -> None:
    mounts = [{"name": "data", "mountPath": "/first"}, {"name": "data", "mountPath": path}]
    (told,) = found(volumes=[DATA], volumeMounts=mounts)
    assert told.startswith("spec.runner.volumeMounts[1].mountPath: ")
    assert words in told


@pytest.mark.parametrize(
    ("mount", "told"),
    [
        ({"name": "dta"}, ".name: there is no volume dta in spec.runner.volumes; did you mean data?"),
        (
            {"mountPropagation": "Bidirectional"},
            ".mountPropagation: is not taken here; a mount has mountPath, name, readOnly, subPath",
        ),
        (
            {"subPathExpr": "$(HOME)"},
            ".subPathExpr: is not taken here; a mount has mountPath, name, readOnly, subPath",
        ),
        ({"subPath": "../up"}, ".subPath: must be a path inside the volume, without / at the start and without .."),
        ({"subPath": "/etc"}, ".subPath: must be a path inside the volume, without / at the start and without .."),
    ],
)
def test_a_mount_that_is_wrong_is_told(mount: Obj, told: str) -> None:
    mounted = {"name": "data", "mountPath": "/data", **mount}
    assert found(volumes=[DATA], volumeMounts=[mounted]) == [f"spec.runner.volumeMounts[0]{told}"]
