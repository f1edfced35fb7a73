"""The Store port on a Kubernetes API server: raw JSON over pooled connections."""
