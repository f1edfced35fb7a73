"""The composition root: only here is it known which adapter serves which port."""
