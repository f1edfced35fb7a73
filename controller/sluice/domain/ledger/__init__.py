"""What a ledger keeps, and what is made of its rows: the same whatever database holds them."""
