"""Sluice, a Kubernetes-native GitOps controller for versioned workflows."""

__version__ = "0.1.0"
