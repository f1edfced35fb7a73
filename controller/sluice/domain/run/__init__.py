"""The run state machine: a plan, a history, and what to do next. Shared by runner, controller and ``sluice test``."""
