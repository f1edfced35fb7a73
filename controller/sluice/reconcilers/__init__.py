"""Observe, plan, apply, report: one file per kind."""
