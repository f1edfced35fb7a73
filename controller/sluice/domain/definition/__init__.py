"""What a definition means: its canonical form, its digest, and what may be wrong with it. Modules are imported one by
one, since the program inside a run needs the small ones only."""
