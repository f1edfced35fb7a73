"""What turns the outside into a WorkflowRun."""
