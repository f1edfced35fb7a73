"""From the models to structural schemas and admission policies."""
