"""Sluice on a cluster with real nodes as the README installs it: the controller is a pod behind its Service."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster.installation import ROOT, Cluster
from tests.cluster.layers import USER

NAMESPACE, DEPLOYMENT = "sluice-system", "sluice-controller"
READY_S = 120
VOLUME = """\
apiVersion: v1
kind: PersistentVolume
metadata: {name: ledger}
spec:
  capacity: {storage: 5Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: %s}
"""


def offer_volume(cluster: Cluster, folder: Path) -> None:
    """Room for a ledger in a folder that is made for it, since a test cluster has no storage to give."""
    folder.mkdir()
    shutil.chown(folder, USER, USER)
    cluster("apply", "-f", "-", stdin=VOLUME % folder)


def deploy(cluster: Cluster, ledger: Path) -> None:
    """The manifests as they are; the controller is ready on return."""
    offer_volume(cluster, ledger)
    cluster("apply", "--server-side", "-k", ROOT / "manifests")
    cluster(f"--namespace={NAMESPACE}", "rollout", "status", f"deployment/{DEPLOYMENT}", f"--timeout={READY_S}s")
