"""What a source declares is applied, pruned and kept from drifting."""
