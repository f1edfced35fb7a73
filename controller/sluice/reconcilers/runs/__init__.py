"""WorkflowRun: admitted, pinned once, launched, and its end written down."""
