"""One file per step kind, used by the runner only."""
