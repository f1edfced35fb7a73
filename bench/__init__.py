"""Benchmarks: Sluice beside DBOS on SQLite, in one run, on whatever machine you have. ``make bench``."""
