"""What the core needs of the world, as Protocols whose docstrings are the contract."""
