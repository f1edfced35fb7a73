"""From an environment to Kubernetes' objects: what a segment's Job or pod looks like, and what a pod's state says."""
