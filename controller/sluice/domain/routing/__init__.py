"""Who may start a run, where, and which version it gets."""
