"""The program inside a run: reads its assignment, executes steps, reports. Imports nothing of the controller."""
