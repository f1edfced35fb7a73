"""What users write and read: one file per kind, pydantic only. The field docs here are the users' docs."""
