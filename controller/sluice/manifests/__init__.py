"""What is installed on a cluster, as values: one source of the kustomize files, the Helm chart and `sluice install`."""

from sluice.manifests.objects import installed
from sluice.manifests.settings import Manifest, Overlay, Settings

__all__ = ["Manifest", "Overlay", "Settings", "installed"]
