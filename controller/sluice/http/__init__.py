"""The Kubernetes protocol, health and metrics over HTTP."""
