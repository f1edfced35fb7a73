"""What a Kubernetes API server does to a write by itself, as pure functions: prune, default, validate, hold to rules."""
